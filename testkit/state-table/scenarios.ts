// The state table as scenarios: one list, run against the pure core and against the running pair of processes over real
// sockets. docs/protocol.md numbers the rows. A scenario starts with no session and no token.
//
// Servers A, B and D serve both data ports, C only `game`; D is the default endpoint where there is one. Clients are
// sockets on one IP address, so every scenario with two of them is also about two players behind one NAT.

export type ServerName = 'A' | 'B' | 'C' | 'D'
export type PortName = 'game' | 'voice'

/** Length of every reply, in bytes. A reply to a first datagram of less than a third of it is too long. */
export const REPLY_BYTES = 36

/** What a client sends. `tail` follows the token; `magic` alone is a control packet with those bytes after the magic. */
export type Payload =
  | { readonly data: string }
  | { readonly token: string, readonly tail?: string }
  | { readonly control: string, readonly tail?: string }
  | { readonly magic: string }

/** What becomes of a client's datagram: forwarded to a server, consumed by kind, or dropped by reason. */
export type ClientOutcome = { readonly at: ServerName } | { readonly consumed: 'token' | 'reset' | 'retransmit' } | { readonly dropped: string }

export type Step =
  /** A token for `to`; `never issued` tokens need no step, any unknown name is one. */
  | { readonly grant: string, readonly to: ServerName, readonly ttlSeconds?: number }
  | { readonly revoke: string }
  /** The token's target is gone: what control tells the proxy of the token, and of the sessions on a server. */
  | { readonly withdraw: string }
  | { readonly gone: ServerName }
  | { readonly from: string, readonly on?: PortName, readonly send: Payload, readonly is: ClientOutcome }
  /** The server answers what `to` last sent it on that data port: at the client it comes from the data port, or it is dropped. */
  | { readonly reply: ServerName, readonly to: string, readonly on?: PortName, readonly is: 'delivered' | { readonly dropped: string } }
  /** Somebody else sends to the upstream socket that `of` uses. */
  | { readonly strangerTo: string, readonly on?: PortName, readonly is: { readonly dropped: string } }
  | { readonly passSeconds: number }
  | { readonly sessions: number }

/** What the director is configured with; every setting is one running pair in the process test. */
export type Setting = 'plain' | 'noDefault' | 'dropInvalid' | 'quick' | 'quickBoth'

export interface SettingDetails {
  readonly hasDefault: boolean
  readonly onInvalidToken: 'default' | 'drop'
  readonly onTargetGone: 'keep' | 'close' | 'default'
  readonly refreshOn: 'client' | 'both'
  readonly sessionTimeoutSeconds: number
}

export const settings: Readonly<Record<Setting, SettingDetails>> = {
  plain: { hasDefault: true, onInvalidToken: 'default', onTargetGone: 'keep', refreshOn: 'client', sessionTimeoutSeconds: 300 },
  noDefault: { hasDefault: false, onInvalidToken: 'default', onTargetGone: 'default', refreshOn: 'client', sessionTimeoutSeconds: 300 },
  dropInvalid: { hasDefault: true, onInvalidToken: 'drop', onTargetGone: 'close', refreshOn: 'client', sessionTimeoutSeconds: 300 },
  quick: { hasDefault: true, onInvalidToken: 'default', onTargetGone: 'default', refreshOn: 'client', sessionTimeoutSeconds: 2 },
  quickBoth: { hasDefault: true, onInvalidToken: 'default', onTargetGone: 'keep', refreshOn: 'both', sessionTimeoutSeconds: 2 }
}

export interface Scenario {
  readonly row: string
  readonly name: string
  readonly setting: Setting
  readonly steps: readonly Step[]
}

const toDefault = { at: 'D' } as const
const toA = { at: 'A' } as const
const toB = { at: 'B' } as const
const redeemed = { consumed: 'token' } as const

/** A session of `client` on A, bound by token `a`. */
const onA = (client: string): Step[] => [
  { grant: 'a', to: 'A' },
  { from: client, send: { token: 'a' }, is: redeemed },
  { from: client, send: { data: 'hello' }, is: toA }
]

export const scenarios: readonly Scenario[] = [
  { row: '1', name: 'a live token makes a session and is not forwarded', setting: 'plain', steps: [...onA('p'), { reply: 'A', to: 'p', is: 'delivered' }, { sessions: 1 }] },
  { row: '1', name: 'one LF after the token belongs to it', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { token: 't', tail: '\n' }, is: redeemed }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '1', name: 'one CRLF after the token belongs to it', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { token: 't', tail: '\r\n' }, is: redeemed }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '1', name: 'anything else after the token makes it data', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { token: 't', tail: '\n\n' }, is: toDefault }, { from: 'q', send: { token: 't', tail: ' ' }, is: toDefault }, { from: 'r', send: { token: 't', tail: '\r' }, is: toDefault }] },
  { row: '1', name: 'two clients on one IP address are two sessions', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'q', send: { token: 'b' }, is: redeemed }, { from: 'q', send: { data: 'x' }, is: toB }, { from: 'p', send: { data: 'y' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }, { reply: 'B', to: 'q', is: 'delivered' }, { sessions: 2 }] },
  { row: '1', name: 'two clients on one server get their own replies', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'A' }, { from: 'q', send: { token: 'b' }, is: redeemed }, { from: 'q', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'q', is: 'delivered' }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: '2', name: 'a control packet with a live token makes a session', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { control: 't' }, is: redeemed }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '2', name: 'a control packet may end in LF or CRLF', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { control: 't', tail: '\n' }, is: redeemed }, { grant: 'u', to: 'A' }, { from: 'q', send: { control: 'u', tail: '\r\n' }, is: redeemed }] },
  { row: '3', name: 'a client without a token reaches the default endpoint', setting: 'plain', steps: [{ from: 'p', send: { data: 'twelve bytes' }, is: toDefault }, { reply: 'D', to: 'p', is: 'delivered' }, { sessions: 1 }] },
  { row: '3', name: 'a reply of more than three times the only datagram is dropped, until the client sends another', setting: 'plain', steps: [{ from: 'p', send: { data: 'too little.' }, is: toDefault }, { reply: 'D', to: 'p', is: { dropped: 'amplification' } }, { from: 'p', send: { data: '' }, is: toDefault }, { reply: 'D', to: 'p', is: 'delivered' }] },
  { row: '3', name: 'a client that proved itself by a token is answered in full', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { token: 't' }, is: redeemed }, { from: 'p', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: '3', name: 'an empty datagram is data', setting: 'plain', steps: [{ from: 'p', send: { data: '' }, is: toDefault }] },
  { row: '3', name: 'a part of the magic is data', setting: 'plain', steps: [{ from: 'p', send: { data: '\xff\xff\xff\xffgetstatus\n' }, is: toDefault }] },
  { row: '3', name: 'a token nobody issued is data when it comes first', setting: 'plain', steps: [{ from: 'p', send: { token: 'never issued' }, is: toDefault }] },
  { row: '3', name: 'a token nobody issued is dropped when it comes first, if so configured', setting: 'dropInvalid', steps: [{ from: 'p', send: { token: 'never issued' }, is: { dropped: 'token_unknown' } }, { sessions: 0 }, { from: 'p', send: { data: 'x' }, is: toDefault }] },
  { row: '3', name: 'without a default endpoint data is dropped', setting: 'noDefault', steps: [{ from: 'p', send: { data: 'x' }, is: { dropped: 'no_session' } }, { from: 'p', send: { token: 'never issued' }, is: { dropped: 'no_session' } }, { sessions: 0 }, ...onA('p')] },
  { row: '3a', name: 'a control packet with a dead token makes no session', setting: 'plain', steps: [{ from: 'p', send: { control: 'never issued' }, is: { dropped: 'token_unknown' } }, { sessions: 0 }] },
  { row: '3a', name: 'a control packet with garbage makes no session', setting: 'plain', steps: [{ from: 'p', send: { magic: 'not a token' }, is: { dropped: 'token_malformed' } }, { from: 'p', send: { magic: '' }, is: { dropped: 'token_malformed' } }, { sessions: 0 }] },
  { row: '3a', name: 'a control packet with a token and more makes no session', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'p', send: { control: 't', tail: 'x' }, is: { dropped: 'token_malformed' } }, { sessions: 0 }, { from: 'p', send: { control: 't' }, is: redeemed }] },
  { row: '4', name: 'a control packet moves the session, and the former target\'s replies end', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }, { from: 'p', send: { data: 'x' }, is: toB }, { reply: 'B', to: 'p', is: 'delivered' }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }, { sessions: 1 }] },
  { row: '4', name: 'a session on the default endpoint moves to a token\'s target', setting: 'plain', steps: [{ from: 'p', send: { data: 'x' }, is: toDefault }, { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '4', name: 'back and forth', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { from: 'p', send: { data: 'x' }, is: toB }, { grant: 'c', to: 'A' }, { from: 'p', send: { control: 'c' }, is: { consumed: 'reset' } }, { from: 'p', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }, { reply: 'B', to: 'p', is: { dropped: 'stale_target' } }] },
  { row: '4', name: 'a token for the target the session has already is consumed and moves nothing', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'A' }, { from: 'p', send: { control: 'b' }, is: redeemed }, { reply: 'A', to: 'p', is: 'delivered' }, { from: 'q', send: { control: 'b' }, is: { dropped: 'token_consumed' } }] },
  { row: '5', name: 'a control packet with a dead token leaves the session alone', setting: 'plain', steps: [...onA('p'), { from: 'p', send: { control: 'never issued' }, is: { dropped: 'token_unknown' } }, { from: 'p', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: '5', name: 'a control packet with garbage leaves the session alone', setting: 'plain', steps: [...onA('p'), { from: 'p', send: { magic: '\x00\x01\x02' }, is: { dropped: 'token_malformed' } }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '6', name: 'a live token alone moves the session too', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'p', send: { token: 'b' }, is: { consumed: 'reset' } }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '7', name: 'a retransmitted token is consumed silently, alone and in a control packet', setting: 'plain', steps: [...onA('p'), { from: 'p', send: { token: 'a' }, is: { consumed: 'retransmit' } }, { from: 'p', send: { control: 'a' }, is: { consumed: 'retransmit' } }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '7', name: 'a retransmitted reset is consumed silently', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { from: 'p', send: { control: 'b' }, is: { consumed: 'retransmit' } }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '7', name: 'the token before the last is no longer a retransmission', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { from: 'p', send: { control: 'a' }, is: { dropped: 'token_consumed' } }, { from: 'p', send: { token: 'a' }, is: toB }] },
  { row: '7', name: 'after its TTL the session\'s own token is data, and no control packet', setting: 'plain', steps: [{ grant: 't', to: 'A', ttlSeconds: 1 }, { from: 'p', send: { token: 't' }, is: redeemed }, { passSeconds: 1.1 }, { from: 'p', send: { token: 't' }, is: toA }, { from: 'p', send: { control: 't' }, is: { dropped: 'token_expired' } }] },
  { row: '8', name: 'a token nobody issued is data in a session', setting: 'plain', steps: [...onA('p'), { from: 'p', send: { token: 'never issued' }, is: toA }] },
  { row: '8', name: 'only the session\'s own target answers', setting: 'plain', steps: [...onA('p'), { strangerTo: 'p', is: { dropped: 'reply_source' } }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: '9', name: 'a session that is idle too long is not used any more', setting: 'quick', steps: [...onA('p'), { passSeconds: 2.1 }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }, { from: 'p', send: { data: 'x' }, is: toDefault }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }] },
  { row: '9', name: 'client datagrams keep a session alive', setting: 'quick', steps: [...onA('p'), { passSeconds: 1.2 }, { from: 'p', send: { data: 'x' }, is: toA }, { passSeconds: 1.2 }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '9', name: 'a reset starts the time-out anew', setting: 'quick', steps: [...onA('p'), { grant: 'b', to: 'B' }, { passSeconds: 1.2 }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { passSeconds: 1.2 }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '9', name: 'replies alone do not keep a session alive', setting: 'quick', steps: [...onA('p'), { passSeconds: 1.2 }, { reply: 'A', to: 'p', is: 'delivered' }, { passSeconds: 1.2 }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }] },
  { row: '9', name: 'replies keep a session alive with refreshOn: both', setting: 'quickBoth', steps: [...onA('p'), { passSeconds: 1.2 }, { reply: 'A', to: 'p', is: 'delivered' }, { passSeconds: 1.2 }, { reply: 'A', to: 'p', is: 'delivered' }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '9', name: 'dropped control packets do not keep a session alive', setting: 'quick', steps: [...onA('p'), { passSeconds: 1.2 }, { from: 'p', send: { control: 'never issued' }, is: { dropped: 'token_unknown' } }, { passSeconds: 1.2 }, { from: 'p', send: { data: 'x' }, is: toDefault }] },
  { row: '10', name: 'a session whose target is gone is kept', setting: 'plain', steps: [...onA('p'), { gone: 'A' }, { from: 'p', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: '10', name: 'a session whose target is gone ends, if so configured', setting: 'dropInvalid', steps: [...onA('p'), { grant: 'b', to: 'B' }, { from: 'q', send: { token: 'b' }, is: redeemed }, { gone: 'A' }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }, { sessions: 1 }, { from: 'q', send: { data: 'x' }, is: toB }, { from: 'p', send: { data: 'x' }, is: toDefault }] },
  { row: '10', name: 'a session whose target is gone moves to the default endpoint, if so configured', setting: 'quick', steps: [...onA('p'), { gone: 'A' }, { reply: 'A', to: 'p', is: { dropped: 'stale_target' } }, { from: 'p', send: { token: 'a' }, is: { consumed: 'retransmit' } }, { from: 'p', send: { data: 'x' }, is: toDefault }, { reply: 'D', to: 'p', is: 'delivered' }, { sessions: 1 }] },
  { row: '10', name: 'a session whose target is gone moves nowhere while there is no default endpoint', setting: 'noDefault', steps: [...onA('p'), { gone: 'A' }, { from: 'p', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', is: 'delivered' }] },
  { row: 'target gone', name: 'a token whose target is gone makes no session', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { withdraw: 't' }, { from: 'p', send: { control: 't' }, is: { dropped: 'target_gone' } }, { sessions: 0 }, { from: 'p', send: { token: 't' }, is: toDefault }] },
  { row: 'target gone', name: 'a token whose target is gone is dropped, if so configured', setting: 'dropInvalid', steps: [{ grant: 't', to: 'A' }, { withdraw: 't' }, { from: 'p', send: { token: 't' }, is: { dropped: 'target_gone' } }, { sessions: 0 }] },
  { row: 'target gone', name: 'a token whose target is gone moves no session', setting: 'plain', steps: [...onA('p'), { grant: 'b', to: 'B' }, { withdraw: 'b' }, { from: 'p', send: { control: 'b' }, is: { dropped: 'target_gone' } }, { from: 'p', send: { token: 'b' }, is: toA }] },
  { row: 'target gone', name: 'a token that is void already ends the retransmissions of no session', setting: 'plain', steps: [...onA('p'), { withdraw: 'a' }, { from: 'p', send: { control: 'a' }, is: { consumed: 'retransmit' } }, { from: 'thief', send: { control: 'a' }, is: { dropped: 'target_gone' } }] },
  { row: 'single use', name: 'a stolen token is refused from another port', setting: 'plain', steps: [...onA('p'), { from: 'thief', send: { control: 'a' }, is: { dropped: 'token_consumed' } }, { from: 'thief', send: { token: 'a' }, is: toDefault }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: 'single use', name: 'a stolen token is dropped from another port, if so configured', setting: 'dropInvalid', steps: [...onA('p'), { from: 'thief', send: { token: 'a' }, is: { dropped: 'token_consumed' } }, { sessions: 1 }] },
  { row: 'single use', name: 'a stolen token moves no session of the thief', setting: 'plain', steps: [{ from: 'thief', send: { data: 'x' }, is: toDefault }, ...onA('p'), { from: 'thief', send: { control: 'a' }, is: { dropped: 'token_consumed' } }, { from: 'thief', send: { data: 'x' }, is: toDefault }] },
  { row: 'single use', name: 'an expired token is refused', setting: 'plain', steps: [{ grant: 't', to: 'A', ttlSeconds: 1 }, { passSeconds: 1.1 }, { from: 'p', send: { control: 't' }, is: { dropped: 'token_expired' } }, { from: 'p', send: { token: 't' }, is: toDefault }] },
  { row: 'single use', name: 'an expired token is dropped, if so configured', setting: 'dropInvalid', steps: [{ grant: 't', to: 'A', ttlSeconds: 1 }, { passSeconds: 1.1 }, { from: 'p', send: { token: 't' }, is: { dropped: 'token_expired' } }] },
  { row: 'single use', name: 'a revoked token is refused', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { revoke: 't' }, { from: 'p', send: { control: 't' }, is: { dropped: 'token_unknown' } }] },
  { row: 'single use', name: 'a revoked token leaves the session it made alone', setting: 'plain', steps: [...onA('p'), { revoke: 'a' }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: 'data ports', name: 'a session serves its client on a second data port', setting: 'plain', steps: [...onA('p'), { from: 'p', on: 'voice', send: { data: 'x' }, is: toA }, { reply: 'A', to: 'p', on: 'voice', is: 'delivered' }, { reply: 'A', to: 'p', is: 'delivered' }, { sessions: 1 }] },
  { row: 'data ports', name: 'a reset moves every data port', setting: 'plain', steps: [...onA('p'), { from: 'p', on: 'voice', send: { data: 'x' }, is: toA }, { grant: 'b', to: 'B' }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }, { reply: 'A', to: 'p', on: 'voice', is: { dropped: 'stale_target' } }, { from: 'p', on: 'voice', send: { data: 'x' }, is: toB }] },
  { row: 'data ports', name: 'a target without a port for the data port drops', setting: 'plain', steps: [{ grant: 'c', to: 'C' }, { from: 'p', send: { token: 'c' }, is: redeemed }, { from: 'p', on: 'voice', send: { data: 'x' }, is: { dropped: 'no_port' } }, { from: 'p', send: { data: 'x' }, is: { at: 'C' } }] },
  { row: 'data ports', name: 'a token can be redeemed once on each data port', setting: 'plain', steps: [{ grant: 't', to: 'A' }, { from: 'game', send: { token: 't' }, is: redeemed }, { from: 'voice', on: 'voice', send: { token: 't' }, is: redeemed }, { from: 'voice', on: 'voice', send: { data: 'x' }, is: toA }, { from: 'thief', send: { control: 't' }, is: { dropped: 'token_consumed' } }, { from: 'thief', on: 'voice', send: { control: 't' }, is: { dropped: 'token_consumed' } }, { sessions: 2 }] },
  { row: 'data ports', name: 'a client that redeems its own token on its second data port takes it there', setting: 'plain', steps: [...onA('p'), { from: 'p', on: 'voice', send: { token: 'a' }, is: redeemed }, { from: 'p', on: 'voice', send: { token: 'a' }, is: { consumed: 'retransmit' } }, { from: 'thief', on: 'voice', send: { control: 'a' }, is: { dropped: 'token_consumed' } }, { sessions: 1 }] }
]
