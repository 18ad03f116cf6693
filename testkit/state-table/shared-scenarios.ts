// The rows of the state table that are there only where several directors share a store: what a datagram waits for, and what
// becomes of it and of those behind it. As in scenarios.ts: servers A, B and D, of which D is the default endpoint, and clients that
// are sockets on one IP address. A scenario starts with no session and no token, and with a control that hears what is asked.
import type { ClientOutcome, Payload, PortName, ServerName } from './scenarios.js'

/** Why a store refuses a token. */
export type StoreRefusal = 'unknown' | 'expired' | 'consumed' | 'void' | 'not_theirs'

/** What control answers about the client that waits. */
export type StoreAnswer =
  | { readonly live: ServerName, readonly consumedOn?: readonly PortName[] }
  | { readonly refused: StoreRefusal }
  | { readonly followed: ServerName, readonly boundBy?: string }
  | 'none'
  | 'late'

export type SharedStep =
  /** A token that this director made. `ours` alone, one that another of them made: it is marked, and unknown here. */
  | { readonly grant: string, readonly to: ServerName }
  /** `held`: it waits; `for` says what is asked then, nothing if it waits behind another. Names of tokens that begin with `forged` have no mark. */
  | { readonly from: string, readonly on?: PortName, readonly send: Payload, readonly is: ClientOutcome | { readonly held: 'token' | 'session' | 'behind' } }
  /** The answer about this client, and what becomes of what waits, in order; `held` at the end of it waits again. */
  | { readonly about: string, readonly answer: StoreAnswer, readonly then: readonly (ClientOutcome | { readonly held: 'token' | 'session' })[] }
  /** Nobody answers within the deadline. */
  | { readonly silence: string, readonly then: readonly (ClientOutcome | { readonly held: 'token' | 'session' })[] }
  /** Control goes, or comes back; when it goes, what waits is settled, client by client. */
  | { readonly control: 'away' | 'back', readonly then?: Readonly<Record<string, readonly ClientOutcome[]>> }
  | { readonly passSeconds: number }
  | { readonly sessions: number }

export interface SharedScenario {
  readonly row: '1a' | '3b' | '4a'
  readonly name: string
  readonly steps: readonly SharedStep[]
}

const toDefault = { at: 'D' } as const
const toA = { at: 'A' } as const
const toB = { at: 'B' } as const
const redeemed = { consumed: 'token' } as const
const late = { dropped: 'store_late' } as const
const forToken = { held: 'token' } as const
const forSession = { held: 'session' } as const
const behind = { held: 'behind' } as const

/** A session of `client` on A, bound by token `a`. */
const onA = (client: string): SharedStep[] => [
  { grant: 'a', to: 'A' },
  { from: client, send: { token: 'a' }, is: forToken },
  { about: client, answer: { live: 'A' }, then: [redeemed] },
  { from: client, send: { data: 'hello' }, is: toA }
]

export const sharedScenarios: readonly SharedScenario[] = [
  { row: '1a', name: 'a token of this director is redeemed when the store says so, and data waits behind it', steps: [{ grant: 'a', to: 'A' }, { from: 'p', send: { token: 'a' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { sessions: 0 }, { about: 'p', answer: { live: 'A' }, then: [redeemed, toA] }, { sessions: 1 }] },
  { row: '1a', name: 'a token of another director is redeemed here', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'B' }, then: [redeemed] }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '1a', name: 'a control packet without a session waits as well', steps: [{ from: 'p', send: { control: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'B' }, then: [redeemed] }] },
  { row: '1a', name: 'a token that is repeated while it waits is a repetition afterwards', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { from: 'p', send: { token: 'ours' }, is: behind }, { from: 'p', send: { data: 'x' }, is: behind }, { about: 'p', answer: { live: 'B' }, then: [redeemed, { consumed: 'retransmit' }, toB] }] },
  { row: '1a', name: 'a second token waits for its own answer, and what follows it waits with it', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { from: 'p', send: { token: 'ours, too' }, is: behind }, { from: 'p', send: { data: 'x' }, is: behind }, { about: 'p', answer: { live: 'A' }, then: [redeemed, forToken] }, { about: 'p', answer: { live: 'B' }, then: [{ consumed: 'reset' }, toB] }] },
  { row: '1a', name: 'other clients do not wait', steps: [...onA('p'), { from: 'q', send: { token: 'ours' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: toA }] },
  { row: '1a', name: 'a token that was redeemed here on this data port is not asked about', steps: [...onA('p'), { from: 'p', send: { token: 'a' }, is: { consumed: 'retransmit' } }, { from: 'thief', send: { control: 'a' }, is: { dropped: 'token_consumed' } }] },
  { row: '1a', name: 'a token that another director knows as redeemed elsewhere is refused there without another ask', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'B', consumedOn: ['voice'] }, then: [redeemed] }, { from: 'thief', on: 'voice', send: { control: 'ours' }, is: { dropped: 'token_consumed' } }] },
  { row: '1a', name: 'a token is asked about once for each data port', steps: [...onA('p'), { from: 'q', on: 'voice', send: { token: 'a' }, is: forToken }, { about: 'q', answer: { live: 'A', consumedOn: ['game'] }, then: [redeemed] }, { sessions: 2 }] },
  { row: '1a', name: 'a token that the store refuses is data, after the client itself was asked about', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { refused: 'consumed' }, then: [forSession] }, { about: 'p', answer: 'none', then: [toDefault] }] },
  { row: '1a', name: 'a token that the store refuses to this client is dropped', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { refused: 'not_theirs' }, then: [{ dropped: 'token_client' }] }, { sessions: 0 }] },
  { row: '1a', name: 'a control packet that the store refuses is dropped', steps: [{ from: 'p', send: { control: 'ours' }, is: forToken }, { about: 'p', answer: { refused: 'expired' }, then: [{ dropped: 'token_expired' }] }, { from: 'q', send: { control: 'ours' }, is: forToken }, { about: 'q', answer: { refused: 'void' }, then: [{ dropped: 'token_unknown' }] }, { sessions: 0 }] },
  { row: '1a', name: 'silence is not a refusal: the token is dropped and may come again', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { silence: 'p', then: [late] }, { sessions: 0 }, { from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: 'late', then: [late] }, { from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'A' }, then: [redeemed] }] },
  { row: '1a', name: 'what waits behind a token that nobody answered for is judged for itself', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { silence: 'p', then: [late, forSession] }, { about: 'p', answer: 'none', then: [toDefault] }] },
  { row: '1a', name: 'what nobody issued is not asked about', steps: [{ from: 'p', send: { control: 'forged' }, is: { dropped: 'token_forged' } }, { from: 'p', send: { token: 'forged' }, is: toDefault }, { from: 'p', send: { token: 'forged' }, is: toDefault }] },
  { row: '1a', name: 'while control is away, tokens of this director are redeemed and others are dropped', steps: [{ grant: 'a', to: 'A' }, { control: 'away' }, { from: 'p', send: { token: 'a' }, is: redeemed }, { from: 'q', send: { token: 'ours' }, is: late }, { from: 'q', send: { data: 'x' }, is: toDefault }, { control: 'back' }, { from: 'r', send: { token: 'ours' }, is: forToken }] },
  { row: '1a', name: 'what waits when control goes is settled without it', steps: [{ grant: 'a', to: 'A' }, { from: 'p', send: { token: 'a' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { from: 'q', send: { token: 'ours' }, is: forToken }, { from: 'q', send: { data: 'x' }, is: behind }, { from: 'r', send: { data: 'x' }, is: forSession }, { control: 'away', then: { p: [redeemed, toA], q: [late, toDefault], r: [toDefault] } }, { sessions: 3 }] },
  { row: '3b', name: 'a client with a session elsewhere goes on here', steps: [{ from: 'p', send: { data: 'x' }, is: forSession }, { from: 'p', on: 'voice', send: { data: 'y' }, is: behind }, { about: 'p', answer: { followed: 'A', boundBy: 'ours' }, then: [toA, toA] }, { from: 'p', send: { token: 'ours' }, is: { consumed: 'retransmit' } }, { from: 'p', send: { data: 'z' }, is: toA }, { sessions: 1 }] },
  { row: '3b', name: 'a client without one reaches the default endpoint', steps: [{ from: 'p', send: { data: 'x' }, is: forSession }, { from: 'p', send: { data: 'y' }, is: behind }, { about: 'p', answer: 'none', then: [toDefault, toDefault] }, { from: 'p', send: { data: 'z' }, is: toDefault }] },
  { row: '3b', name: 'a stranger whom nobody answered for is asked about again', steps: [{ from: 'p', send: { data: 'x' }, is: forSession }, { from: 'p', send: { data: 'y' }, is: behind }, { silence: 'p', then: [late, forSession] }, { about: 'p', answer: { followed: 'B' }, then: [toB] }] },
  { row: '3b', name: 'a token behind data is asked about when its turn comes', steps: [{ from: 'p', send: { data: 'x' }, is: forSession }, { from: 'p', send: { token: 'ours' }, is: behind }, { from: 'p', send: { data: 'y' }, is: behind }, { about: 'p', answer: 'none', then: [toDefault, forToken] }, { about: 'p', answer: { live: 'B' }, then: [{ consumed: 'reset' }, toB] }] },
  { row: '3b', name: 'a token that is over follows its client, too', steps: [{ from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { refused: 'expired' }, then: [forSession] }, { about: 'p', answer: { followed: 'A' }, then: [toA] }] },
  { row: '4a', name: 'a reset waits, and what follows it goes to the new server', steps: [...onA('p'), { from: 'p', send: { control: 'ours' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { about: 'p', answer: { live: 'B' }, then: [{ consumed: 'reset' }, toB] }] },
  { row: '4a', name: 'a token alone waits in a session, too', steps: [...onA('p'), { from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'B' }, then: [{ consumed: 'reset' }] }, { from: 'p', send: { data: 'x' }, is: toB }] },
  { row: '4a', name: 'a reset that the store refuses leaves the session alone', steps: [...onA('p'), { from: 'p', send: { control: 'ours' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { about: 'p', answer: { refused: 'consumed' }, then: [{ dropped: 'token_consumed' }, toA] }, { from: 'p', send: { token: 'ours' }, is: forToken }, { about: 'p', answer: { refused: 'consumed' }, then: [toA] }] },
  { row: '4a', name: 'silence leaves the session alone, and a repeated reset is asked about at once', steps: [...onA('p'), { from: 'p', send: { control: 'ours' }, is: forToken }, { from: 'p', send: { data: 'x' }, is: behind }, { silence: 'p', then: [late, toA] }, { from: 'p', send: { control: 'ours' }, is: forToken }, { about: 'p', answer: { live: 'B' }, then: [{ consumed: 'reset' }] }] },
  { row: '4a', name: 'the session\'s own token is asked about on a further data port', steps: [...onA('p'), { from: 'p', on: 'voice', send: { token: 'a' }, is: forToken }, { about: 'p', answer: { live: 'A', consumedOn: ['game'] }, then: [redeemed] }, { from: 'p', on: 'voice', send: { token: 'a' }, is: { consumed: 'retransmit' } }] },
  { row: '4a', name: 'while control is away, resets by tokens of others are dropped', steps: [...onA('p'), { grant: 'b', to: 'B' }, { control: 'away' }, { from: 'p', send: { control: 'ours' }, is: late }, { from: 'p', send: { token: 'ours' }, is: late }, { from: 'p', send: { data: 'x' }, is: toA }, { from: 'p', send: { control: 'b' }, is: { consumed: 'reset' } }] }
]
