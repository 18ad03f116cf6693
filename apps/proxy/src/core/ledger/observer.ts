// What the core tells the outside when something happens that is worth a log line or an event. Never per datagram that
// is merely forwarded.
import type { GoneActionName } from './counters.js'
import type { DropReason } from './drop-reason.js'

export type SessionChange = 'established' | 'reset' | 'moved' | 'expired' | 'ended'

/** What other replicas want to know of a session that has redeemed a token. `followed`: it was theirs, and its client came here. */
export type BindingChange = SessionChange | 'followed'

/** Who waits for the shared store. */
export interface Asked {
  /** What the answer has to name. */
  readonly id: number
  /** The client's address words; valid during the call only, as is `token`. */
  readonly clientWords: Uint32Array
  readonly clientPort: number
  readonly dataPort: number
  /** The number of the token that may be redeemed. Absent: whether the client has a session at another replica. */
  readonly token?: Uint32Array | undefined
}

/** Called synchronously; must not call back into the core. */
export interface Observer {
  /** The session in `slot` changed; for `expired` and `ended` it is still readable during the call. */
  readonly sessionChanged: (change: SessionChange, slot: number) => void
  /** The session in `slot` redeemed the token whose number is in `token[0..3]`. */
  readonly tokenRedeemed: (token: Uint32Array, dataPort: number, slot: number) => void
  /** A datagram with a token that cannot be redeemed, whether it is dropped or forwarded. Rate-limited by `warningsPerSecond` per reason. */
  readonly tokenRefused: (refusal: Refusal) => void
  /** A client's datagram is dropped for another reason than its token. Rate-limited in the same way. */
  readonly datagramDropped: (drop: ClientDrop) => void
  /** A target with sessions is gone: what was done, and with how many of them. */
  readonly targetGone: (key: string, action: GoneActionName, sessions: number) => void
  /** A client's datagrams wait for an answer. Only where a store is shared. */
  readonly asked: (ask: Asked) => void
  /**
   * The session in `slot`, which has redeemed a token, came, changed its target or its token, or goes; then it is still readable during
   * the call. Not called for what another replica told. Only where a store is shared.
   */
  readonly bindingChanged: (change: BindingChange, slot: number) => void
}

export interface ClientDrop {
  readonly reason: DropReason
  readonly dataPort: number
  /** The client's address words; valid during the call only. */
  readonly clientWords: Uint32Array
  readonly clientPort: number
}

export interface Refusal extends ClientDrop {
  readonly isControlPacket: boolean
  /** Whether it was forwarded to the default endpoint all the same, as `onInvalidToken` says. */
  readonly isForwarded: boolean
}
