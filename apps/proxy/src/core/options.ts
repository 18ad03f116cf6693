// What the core is told once, at its start.
import type { AccessLists } from './access-list.js'
import type { GoneActionName } from './counters.js'
import type { DefaultChoice } from './default-endpoint.js'
import type { PortRange } from './port-set.js'
import type { SliceSize } from './slice-size.js'
import type { TraceRing } from './trace-ring.js'

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

export interface CoreOptions {
  /** How many data ports there are; they are numbered from 0 in the order of the configuration. */
  readonly dataPorts: number
  /** What control packets start with, 1–32 bytes. */
  readonly magic: Uint8Array
  readonly sessionTimeoutMs: number
  readonly onInvalidToken: 'default' | 'drop'
  readonly onTargetGone: GoneActionName
  readonly refreshOn: 'client' | 'both'
  readonly defaultChoice: DefaultChoice
  readonly limits: CoreLimits
  /** Source ports from which no default-endpoint session is made. Default: none. */
  readonly blockedSourcePorts?: readonly PortRange[] | undefined
  /** Addresses of this host, which its own data ports and upstream sockets send from. Default: none are known. */
  readonly ownAddresses?: readonly string[] | undefined
  /** Whose datagrams are looked at. Default: everyone's. */
  readonly clients?: AccessLists | undefined
  /** What the ids of sessions start with, so that they differ from those of other cores. Default: nothing. */
  readonly sessionIdPrefix?: string
  /** Where tokens are marked as redeemed, if other cores have the same tokens: a word each, a bit a data port. Default: memory of this core's own. */
  readonly claims?: Int32Array | undefined
  /** Where every decision is noted. Default: nowhere. */
  readonly trace?: TraceRing | undefined
  /** How much is done before datagrams have their turn. Default: what takes well below a millisecond. */
  readonly slice?: SliceSize | undefined
  /** Uniform in [0, 1). Seeds the tables' hashes and draws random candidates; fix it to replay a run. */
  readonly random: () => number
}
