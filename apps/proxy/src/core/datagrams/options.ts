// What the core is told once, at its start.
import type { TraceRing } from '../ledger/trace-ring.js'
import type { SessionOptions } from '../sessions/options.js'

/** Every bound of the core; docs/config.md explains each. */
export interface CoreLimits {
  readonly maxSessions: number
  readonly maxSessionsPerPrefix: number
  readonly newSessionsPerSecond: number
  readonly amplificationFactor: number
  readonly maxTokens: number
  readonly maxTargets: number
  readonly maxUpstreamSockets: number
  readonly upstreamLingerMs: number
  readonly maxDatagramBytes: number
  readonly warningsPerSecond: number
}

export interface CoreOptions extends SessionOptions {
  /** How many data ports there are; they are numbered from 0 in the order of the configuration. */
  readonly dataPorts: number
  /** What control packets start with, 1–32 bytes. */
  readonly magic: Uint8Array
  readonly onInvalidToken: 'default' | 'drop'
  readonly refreshOn: 'client' | 'both'
  readonly limits: CoreLimits
  /** Addresses of this host, which its own data ports and upstream sockets send from. Default: none are known. */
  readonly ownAddresses?: readonly string[] | undefined
  /** Where every decision is noted. Default: nowhere. */
  readonly trace?: TraceRing | undefined
}
