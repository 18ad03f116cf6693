// Every error the HTTP APIs answer with, once. Bodies are application/problem+json (RFC 9457) with a stable `code`;
// docs/errors.md derives from this table.

export interface ErrorRow {
  readonly status: number
  /** Constant for the code (RFC 9457 §3.1.3); what varies goes to `detail`. */
  readonly title: string
  /** For docs/errors.md: what the caller can do. */
  readonly remedy: string
  /** Seconds for Retry-After, where trying again makes sense. */
  readonly retryAfterSeconds?: number
}

export const errors = {
  MALFORMED_REQUEST: { status: 400, title: 'This is not an HTTP request', remedy: 'Speak HTTP/1.1, with a Host header; TLS ends before the director.' },
  MALFORMED_JSON: { status: 400, title: 'The body is not valid JSON', remedy: 'Repair the JSON; `detail` names the position where the parser stopped, if it knows.' },
  INVALID_REQUEST: { status: 400, title: 'The request does not fit the schema', remedy: 'Compare with /openapi.json; `errors` lists each fault with its path. Unknown fields are faults.' },
  INVALID_JSON_PATH: { status: 400, title: 'The JSONPath does not parse', remedy: '`position` is the index of the character that does not fit.' },
  BODY_TOO_COMPLEX: { status: 400, title: 'The request has too many values', remedy: 'A request needs a few dozen fields and list entries at most; `detail` names the bound.' },
  QUERY_TOO_COSTLY: { status: 400, title: 'The query asks for too much work', remedy: 'Narrow it by labels, use a path with fewer wildcards, or let the operator index the path (`indexPaths`) or raise `limits.maxQueryWork`.' },
  CALLER_UNCLEAR: { status: 400, title: 'A trusted proxy does not tell who calls', remedy: 'Let it write the address of the caller into the header that `forwardedHeader` names; see docs/security.md.' },
  INVALID_TARGET: { status: 400, title: 'The target cannot be used', remedy: 'Give an IP address and a port for at least one data port.' },
  UNAUTHENTICATED: { status: 401, title: 'The request brings no key or token that is accepted', remedy: 'Send `Authorization: Bearer …` with a key of `keysFile`, or a token of the configured issuer.' },
  ACCESS_DENIED: { status: 403, title: 'The address may not call here', remedy: 'Add it to `allow` of `queryAccess` or `adminAccess`; `deny` wins. Behind a proxy set `trustedProxies`.' },
  HOST_NOT_ALLOWED: { status: 403, title: 'The name in the Host header is not served', remedy: 'Call by address, by a name of `adminHosts` or `queryHosts`, or add the name there.' },
  CROSS_SITE_REQUEST: { status: 403, title: 'A web page of another site makes this request', remedy: 'Call from a program, or from a page of the same origin; `adminHosts` and `queryHosts` name sites whose pages may call.' },
  NAMESPACE_NOT_ALLOWED: { status: 403, title: 'The namespace is not open to queries', remedy: 'Name one of the configured `namespaces`.' },
  TARGET_NOT_ALLOWED: { status: 403, title: 'The target is outside the allowed addresses', remedy: 'Add its CIDR to `allowedTargets`, or route elsewhere.' },
  NOT_FOUND: { status: 404, title: 'There is nothing here', remedy: 'Compare the method and path with /openapi.json.' },
  UNKNOWN_RESOURCE_TYPE: { status: 404, title: 'The resource type is not configured', remedy: 'Name a key of `resourceQueryMapping`.' },
  NO_MATCHING_RESOURCE: { status: 404, title: 'No object matches the query', remedy: 'Try again when an object is in the wanted state, or ask for less.' },
  SESSION_NOT_FOUND: { status: 404, title: 'There is no such session', remedy: 'It may have ended; list the sessions again.' },
  SESSION_ELSEWHERE: { status: 421, title: 'The session is at another replica', remedy: 'Ask one of those that `detail` names. It can be moved and ended from here, by the client address.' },
  TOKEN_NOT_FOUND: { status: 404, title: 'There is no such token', remedy: 'It may have expired or been revoked already.' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path does not have this method', remedy: 'Use one of those in the Allow header.' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request did not come in time', remedy: 'Send header and body within 10 s.' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large', remedy: 'Keep it below `limits.maxBodyBytes`.' },
  URI_TOO_LONG: { status: 414, title: 'The URL is too long', remedy: 'Ask for less; `detail` names the bound.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is not JSON', remedy: 'Send `content-type: application/json`.' },
  UNSUPPORTED_CONTENT_ENCODING: { status: 415, title: 'The body is compressed', remedy: 'Send it as it is, without Content-Encoding.' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation cannot be met', remedy: 'Leave the Expect header out, or send `100-continue`.' },
  RATE_LIMITED: { status: 429, title: 'The caller asks too often', remedy: 'Try again after Retry-After; `detail` names the bound.', retryAfterSeconds: 1 },
  TOO_MANY_TOKENS: { status: 429, title: 'The caller holds too many tokens that nobody has redeemed', remedy: 'Redeem some, or try again when some have expired; `limits.maxTokensPerCaller` is the bound.', retryAfterSeconds: 5 },
  HEADERS_TOO_LARGE: { status: 431, title: 'The header is too large', remedy: 'Send fewer or shorter fields; `detail` names the bound.' },
  UNSUPPORTED_TRANSFER_ENCODING: { status: 501, title: 'The transfer coding is not known', remedy: 'Send the body with Content-Length, or with `Transfer-Encoding: chunked` and nothing else.' },
  PROXY_UNAVAILABLE: { status: 503, title: 'The proxy did not acknowledge in time', remedy: 'Try again after Retry-After. A token that was being issued is void.', retryAfterSeconds: 1 },
  STORE_UNAVAILABLE: { status: 503, title: 'The shared store did not acknowledge in time', remedy: 'Try again after Retry-After. `/healthz` says what is wrong with the store. A token that was being issued is void; a revocation is in force at the replica that was asked, and is repeated until the store has it.', retryAfterSeconds: 1 },
  NO_CAPACITY: { status: 503, title: 'No matching object has a free place', remedy: 'Try again after Retry-After, or let the fleet grow: the balancer `labelArithmetic` counts every match as full.', retryAfterSeconds: 5 },
  CAPACITY_EXHAUSTED: { status: 503, title: 'A bound of the director is reached', remedy: 'Try again after Retry-After; raise the bound named in `detail` if it happens often.', retryAfterSeconds: 5 },
  KEYS_UNAVAILABLE: { status: 503, title: 'Tokens cannot be verified', remedy: 'Try again after Retry-After. The keys of `jwksUrl` have never been fetched, or cannot be used: the log says why.', retryAfterSeconds: 5 },
  INVENTORY_NOT_READY: { status: 503, title: 'The inventory is not loaded yet', remedy: 'Try again after Retry-After.', retryAfterSeconds: 2 },
  ADDRESS_UNKNOWN: { status: 503, title: 'The address that clients send to is not known yet', remedy: 'Try again after Retry-After, on a new connection. `/healthz` of the admin port says what `advertise` waits for.', retryAfterSeconds: 2 },
  DRAINING: { status: 503, title: 'The director is draining', remedy: 'Try again after Retry-After, on a new connection: this process only waits for its sessions to end, another takes over.', retryAfterSeconds: 1 },
  SHUTTING_DOWN: { status: 503, title: 'The director is shutting down', remedy: 'Try again after Retry-After; another process takes over.', retryAfterSeconds: 1 },
  INTERNAL: { status: 500, title: 'Something went wrong inside', remedy: 'A bug: report it with the `requestId`.' }
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errors
