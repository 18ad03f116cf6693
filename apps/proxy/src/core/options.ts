// What the core is told once, at its start.
import type { GoneActionName } from './counters.js'
import type { DefaultChoice } from './default-endpoint.js'

/** Every bound of the core; docs/config.md explains each. */
export interface CoreLimits {
  readonly maxSessions: number
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
  /** Uniform in [0, 1). Seeds the tables' hashes and draws random candidates; fix it to replay a run. */
  readonly random: () => number
}
