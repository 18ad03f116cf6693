// What the proxy takes of the world: the system's (systemPlatform), or a simulated one. Whatever is not here it has of
// itself, so that it is the same proxy on either.
import { randomInt, randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { Clock } from '#core/clock.js'
import { systemClock } from '#core/system-clock.js'
import type { Sample } from '#rpc/contract.js'
import { processSamples } from '#telemetry/process-samples.js'
import { openLibc } from './engines/batch/system/libc.js'
import type { RpcPlace } from './rpc/rpc-place.js'
import { unixPlace } from './rpc/unix-place.js'
import type { EngineKind } from './shards/engine-kind.js'
import { systemEngines } from './shards/engine-kinds.js'
import { stateFilesAt, type StatePlace } from './state/state-place.js'

export interface Platform {
  readonly clock: Clock
  /** Uniform in [0, 1). Seeds the tables' hashes, which nobody may guess. */
  readonly random: () => number
  /** Names one life of the proxy, and no other ever. */
  readonly newInstanceId: () => string
  /** By preference. */
  readonly engines: readonly EngineKind[]
  readonly rpc: RpcPlace
  /** Undefined: nothing is kept for a restart. */
  readonly state: StatePlace | undefined
  readonly networkInterfaces: typeof networkInterfaces
  /** The metrics of this process. */
  readonly processSamples: () => readonly Sample[]
  /** How often sessions are looked through for those that are idle too long, in ms. */
  readonly sweepPeriodMs: number
}

export const SWEEP_PERIOD_MS = 30_000

export interface Places {
  readonly socketPath: string
  /** What the names of the state logs begin with; undefined, nothing is kept for a restart. */
  readonly statePath: string | undefined
}

export function systemPlatform ({ socketPath, statePath }: Places): Platform {
  return {
    clock: systemClock,
    random: () => randomInt(0x1_0000_0000) / 0x1_0000_0000,
    newInstanceId: randomUUID,
    engines: systemEngines(openLibc),
    rpc: unixPlace(socketPath),
    state: statePath === undefined ? undefined : stateFilesAt(statePath),
    networkInterfaces,
    processSamples: () => processSamples('proxy'),
    sweepPeriodMs: SWEEP_PERIOD_MS
  }
}
