// One seed, from its first step to its last, or to the first thing that is wrong.
import type { Violation } from './checks/invariants.js'
import type { Plant } from './checks/plants.js'
import { Steps } from './steps.js'

export interface RunOptions {
  readonly seed: number
  readonly steps: number
  readonly plant?: Plant | undefined
  /** Whether it must have directors that share a store; else the seed draws that. */
  readonly shared?: boolean
}

export interface Outcome {
  readonly seed: number
  /** Steps that were made. */
  readonly steps: number
  /** Stands for everything that happened. */
  readonly hash: string
  /** Virtual milliseconds that passed. */
  readonly virtualMs: number
  readonly violation?: Violation
  /** With a violation: the last of what happened. */
  readonly last: readonly string[]
}

export async function run ({ seed, steps, plant, shared = false }: RunOptions): Promise<Outcome> {
  const script = new Steps(seed, plant, shared)
  const { watch, trace, time } = script.world
  let step = 0
  while (step < steps && watch.violation === undefined) {
    step++
    await script.next()
  }
  const outcome = { seed, steps: step, hash: trace.hash, virtualMs: time.nowMs }
  return watch.violation === undefined ? { ...outcome, last: [] } : { ...outcome, violation: watch.violation, last: trace.lines() }
}
