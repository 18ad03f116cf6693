// What the core is told once, at its start. As for sessions, rules of the configuration are named, not copied.
import type { InMs } from '#core/durations.js'
import type { Config } from '#config/schema.js'
import type { TraceRing } from '../ledger/trace-ring.js'
import type { SessionOptions } from '../sessions/options.js'

type DatagramRules = 'onInvalidToken' | 'refreshOn'

export interface CoreOptions extends SessionOptions, InMs<Pick<Config, DatagramRules>> {
  /** How many data ports there are; they are numbered from 0 in the order of the configuration. */
  readonly dataPorts: number
  /** What control packets start with, 1–32 bytes. */
  readonly magic: Uint8Array
  /** Addresses of this host, which its own data ports and upstream sockets send from. Default: none are known. */
  readonly ownAddresses?: readonly string[] | undefined
  /** Where every decision is noted. Default: nowhere. */
  readonly trace?: TraceRing | undefined
}
