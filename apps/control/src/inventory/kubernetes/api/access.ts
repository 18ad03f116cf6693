// What a request to the API server needs, whoever found it out.
import type { Result } from '#core/result.js'

/** As for node:tls; certificates and keys are PEM. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Access {
  /** Scheme, host, port and perhaps a path, without a slash at the end. */
  readonly baseUrl: string
  readonly tls: TlsOptions
  /** URL of the HTTP proxy that is asked for a tunnel to the server, perhaps with user and password. */
  readonly proxyUrl?: string
  /** Those that authenticate. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Credentials {
  /** What is valid now; asked before every request. The fault is a sentence for the operator. */
  readonly access: () => Promise<Result<Access, string>>
  /** The server refused them: everything is read again before the next request. */
  readonly refresh: () => void
  /** Another text than before if a file they come from was changed, replaced or removed. Never fails. */
  readonly mark?: () => Promise<string>
}
