// Who may have a session, and who gives way. A client without a token costs an attacker one forged datagram, so what such
// clients can take is bounded by prefix, rate, source port and share; a client with a token is expected, and is bounded
// apart from them. Established sessions never come here. Pure; allocates nothing.
import { AccessList } from './access-list.js'
import { DropReason } from '../ledger/drop-reason.js'
import type { SessionOptions } from './options.js'
import { PortSet } from './port-set.js'
import { PrefixGuard, Standing } from './prefix-guard.js'
import { CLIENT_KEY_WORDS, type SessionTable } from '../tables/session-table.js'
import { SlotList } from '../tables/slot-list.js'
import { ADDRESS_WORDS } from '#wire/address.js'

export interface AdmissionSurroundings {
  readonly sessions: SessionTable
  /** When the session in a slot was last active. */
  readonly lastSeen: (slot: number) => number
  /** Whether a client address, with its port, is one that the director itself sends from. */
  readonly isOwnSource: (client: Uint32Array) => boolean
  /** Secret: whoever knows it can choose addresses that share a count with another's. */
  readonly seed: number
}

/** Not refused. */
export const ADMITTED = 0

/** Sessions that are looked at to find the one that gives way: the most work a datagram can cause. */
const LOOKS = 64

export class Admission {
  readonly #sessions: SessionTable
  readonly #guard: PrefixGuard
  readonly #blockedPorts: PortSet
  readonly #access: AccessList | undefined
  readonly #defaults: SlotList
  readonly #lastSeen: (slot: number) => number
  readonly #isOwnSource: (client: Uint32Array) => boolean
  readonly #client = new Uint32Array(CLIENT_KEY_WORDS)

  constructor ({ limits, blockedSourcePorts = [], clients }: Pick<SessionOptions, 'limits' | 'blockedSourcePorts' | 'clients'>, { sessions, lastSeen, isOwnSource, seed }: AdmissionSurroundings) {
    this.#lastSeen = lastSeen
    this.#isOwnSource = isOwnSource
    this.#sessions = sessions
    this.#guard = new PrefixGuard(limits, seed)
    this.#blockedPorts = new PortSet(blockedSourcePorts)
    this.#access = clients && new AccessList(clients)
    this.#defaults = new SlotList(limits.maxSessions)
  }

  /** Sessions that never redeemed a token. */
  get defaultSessions (): number { return this.#defaults.size }

  /** Why this client, which has no session, is not served at all; or ADMITTED. */
  refuseStranger (client: Uint32Array): DropReason | typeof ADMITTED {
    if (this.#access !== undefined && !this.#access.admits(client)) return DropReason.accessDenied
    return this.#isOwnSource(client) ? DropReason.sourcePort : ADMITTED
  }

  /** Why this client cannot have a default-endpoint session now, or ADMITTED: then it counts as one it opened. */
  refuseDefault (client: Uint32Array, now: number): DropReason | typeof ADMITTED {
    if (this.#blockedPorts.has(client[ADDRESS_WORDS]!)) return DropReason.sourcePort
    if (this.#sessions.isFull) return DropReason.sessionLimit
    if (!this.#guard.hasRoom(client, Standing.default)) return DropReason.prefixLimit
    return this.#guard.takeNew(client, now) ? ADMITTED : DropReason.rateLimit
  }

  /** Why this client cannot have a session by its token now, or ADMITTED. If the table is full, end `victim` first. */
  refuseToken (client: Uint32Array): DropReason | typeof ADMITTED {
    if (!this.#guard.hasRoom(client, Standing.token)) return DropReason.prefixLimit
    return this.#sessions.isFull && this.#defaults.size === 0 ? DropReason.sessionLimit : ADMITTED
  }

  /** Why this session, of this client, cannot redeem a token now, or ADMITTED. */
  refuseRedemption (slot: number, client: Uint32Array): DropReason | typeof ADMITTED {
    return this.#sessions.hasRedeemed(slot) || this.#guard.hasRoom(client, Standing.token) ? ADMITTED : DropReason.prefixLimit
  }

  /** The default-endpoint session that gives way when the table is full, or -1: of some, the one idle for longest. */
  victim (): number {
    return this.#sessions.isFull ? this.#defaults.smallestOf(LOOKS, this.#lastSeen) : -1
  }

  /** A session has come. */
  enter (slot: number): void {
    const standing = this.#standing(slot)
    this.#guard.add(this.#clientOf(slot), standing)
    if (standing === Standing.default) this.#defaults.add(slot)
  }

  /** A session goes. */
  leave (slot: number): void {
    const standing = this.#standing(slot)
    this.#guard.remove(this.#clientOf(slot), standing)
    if (standing === Standing.default) this.#defaults.remove(slot)
  }

  #standing (slot: number): Standing {
    return this.#sessions.hasRedeemed(slot) ? Standing.token : Standing.default
  }

  #clientOf (slot: number): Uint32Array {
    this.#sessions.readClientWords(slot, this.#client)
    return this.#client
  }
}
