// Why a datagram was dropped, once: the packet path returns these numbers, metrics and docs use their names.

/** Frozen; a number is never reused for another meaning. 0 is kept free: it means "not dropped". */
export const DropReason = Object.freeze({
  noSession: 1,
  tokenUnknown: 2,
  tokenExpired: 3,
  tokenConsumed: 4,
  tokenMalformed: 5,
  noPort: 6,
  sessionLimit: 7,
  upstreamLimit: 8,
  oversize: 9,
  truncated: 10,
  badSource: 11,
  replySource: 12,
  staleTarget: 13,
  sendQueueFull: 14,
  sendFailed: 15,
  targetGone: 16,
  tokenClient: 17,
  accessDenied: 18,
  sourcePort: 19,
  prefixLimit: 20,
  rateLimit: 21,
  amplification: 22,
  draining: 23,
  restart: 24,
  tokenForged: 25,
  storeLate: 26,
  askLimit: 27,
  heldLimit: 28
} as const)

export type DropReason = typeof DropReason[keyof typeof DropReason]

/** What a token that cannot be redeemed is refused for. */
export const tokenReasons = [DropReason.tokenUnknown, DropReason.tokenForged, DropReason.tokenExpired, DropReason.tokenConsumed, DropReason.targetGone, DropReason.tokenClient] as const

interface DropReasonRow {
  /** The metric's label value. */
  readonly name: string
  readonly meaning: string
  /** Which way the datagram was going. */
  readonly direction: 'to_target' | 'to_client' | 'both'
}

/** Names and meanings, by number. */
export const dropReasons: Readonly<Record<DropReason, DropReasonRow>> = {
  [DropReason.noSession]: { name: 'no_session', direction: 'to_target', meaning: 'No session, no live token, and no default endpoint to fall back to.' },
  [DropReason.tokenUnknown]: { name: 'token_unknown', direction: 'to_target', meaning: 'A token nobody issued, or one that was revoked or expired a while ago.' },
  [DropReason.tokenForged]: { name: 'token_forged', direction: 'to_target', meaning: 'What looks like a token and has not the mark of one: no director of ours ever issued it.' },
  [DropReason.tokenExpired]: { name: 'token_expired', direction: 'to_target', meaning: 'A token whose TTL is over.' },
  [DropReason.tokenConsumed]: { name: 'token_consumed', direction: 'to_target', meaning: 'A token that another client address has redeemed on this data port.' },
  [DropReason.tokenClient]: { name: 'token_client', direction: 'to_target', meaning: 'A live token that is bound to another client\'s address. It stays live for that client.' },
  [DropReason.targetGone]: { name: 'target_gone', direction: 'to_target', meaning: 'A token whose target is gone, or is not any more what the token was issued for.' },
  [DropReason.tokenMalformed]: { name: 'token_malformed', direction: 'to_target', meaning: 'A control packet with something other than a token after the magic.' },
  [DropReason.noPort]: { name: 'no_port', direction: 'to_target', meaning: 'The target has no port for the data port the datagram arrived on.' },
  [DropReason.sessionLimit]: { name: 'session_limit', direction: 'to_target', meaning: 'limits.maxSessions is reached; for a token, by sessions that have redeemed one as well.' },
  [DropReason.prefixLimit]: { name: 'prefix_limit', direction: 'to_target', meaning: 'limits.maxSessionsPerPrefix is reached by this client\'s prefix: its IPv4 address, or its /64 of IPv6.' },
  [DropReason.rateLimit]: { name: 'rate_limit', direction: 'to_target', meaning: 'limits.newSessionsPerSecond is reached by this client\'s prefix, for sessions to the default endpoint.' },
  [DropReason.sourcePort]: { name: 'source_port', direction: 'to_target', meaning: 'A first datagram without a live token from a port in blockedSourcePorts, or any from the director itself.' },
  [DropReason.accessDenied]: { name: 'access_denied', direction: 'to_target', meaning: 'A client without a session whose address clients.deny has, or clients.allow lacks.' },
  [DropReason.amplification]: { name: 'amplification', direction: 'to_client', meaning: 'More than limits.amplificationFactor times the bytes of the only datagram its client has sent, to the default endpoint.' },
  [DropReason.draining]: { name: 'draining', direction: 'to_target', meaning: 'The director is about to stop: clients without a session or a live token go elsewhere.' },
  [DropReason.storeLate]: { name: 'store_late', direction: 'to_target', meaning: 'A datagram whose client the shared store did not tell about in time, or cannot be asked about. The client sends it again.' },
  [DropReason.askLimit]: { name: 'ask_limit', direction: 'to_target', meaning: 'limits.asksPerSecond or limits.asksPerPrefix is reached: the shared store is not asked about this client now.' },
  [DropReason.heldLimit]: { name: 'held_limit', direction: 'to_target', meaning: 'limits.heldDatagrams wait for the shared store already, or 16 of this client, or 8 MiB.' },
  [DropReason.upstreamLimit]: { name: 'upstream_limit', direction: 'to_target', meaning: 'limits.maxUpstreamSockets is reached for this target, or no flow is free; the last eighth of either is for sessions that have redeemed a token.' },
  [DropReason.oversize]: { name: 'oversize', direction: 'both', meaning: 'Longer than limits.maxDatagramBytes, or than the network can carry.' },
  [DropReason.truncated]: { name: 'truncated', direction: 'both', meaning: 'The system delivered only a part of it.' },
  [DropReason.badSource]: { name: 'bad_source', direction: 'to_target', meaning: 'A source that cannot be answered: port 0, or an address with a zone.' },
  [DropReason.replySource]: { name: 'reply_source', direction: 'to_client', meaning: 'From an address that is nobody\'s target on this socket.' },
  [DropReason.staleTarget]: { name: 'stale_target', direction: 'to_client', meaning: 'From a target that its session has left, or whose session has ended.' },
  [DropReason.sendQueueFull]: { name: 'send_queue_full', direction: 'both', meaning: 'limits.sendQueueBytes are waiting for the kernel already.' },
  [DropReason.restart]: { name: 'restart', direction: 'both', meaning: 'Received by a proxy that ended before it had sent it on; counted by the next one.' },
  [DropReason.sendFailed]: { name: 'send_failed', direction: 'both', meaning: 'The system refused to send it.' }
}
