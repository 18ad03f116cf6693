// One target tried for as long as asked, in rounds whose seeds follow each other: a failure is replayed by its round alone.
import { stringify, type RunDetails } from 'fast-check'
import type { FuzzTarget } from './fuzz-target.js'

export interface Extent {
  readonly seed: number
  /** Whether another round is wanted; asked before each but the first. */
  readonly goesOn: (rounds: number) => boolean
  readonly runsPerRound: number
  /** Where in the first round a failure was, to replay it. */
  readonly path?: string | undefined
}

export interface Finding {
  readonly target: string
  readonly seed: number
  readonly path: string
  /** The input, as small as it could be made. */
  readonly input: string
  readonly error: Error
}

export interface Outcome {
  readonly target: string
  /** Inputs tried. */
  readonly runs: number
  readonly finding: Finding | undefined
}

/** Tries inputs until one fails or nothing more is wanted. */
export async function runTarget (target: FuzzTarget, { seed, goesOn, runsPerRound, path }: Extent): Promise<Outcome> {
  const subject = await target.open()
  try {
    let runs = 0
    for (let round = 0; round === 0 || goesOn(round); round++) {
      const details = await subject.run({ seed: seed + round | 0, runs: runsPerRound, path })
      runs += details.numRuns
      if (details.failed) return { target: target.name, runs, finding: findingOf(target.name, details) }
    }
    return { target: target.name, runs, finding: undefined }
  } finally {
    await subject.close()
  }
}

/** The command that replays a failure, and nothing else. */
export function replayCommand ({ target, seed, path }: Finding): string {
  return `npm run fuzz -- --target ${target} --seed=${seed} --path ${path}`
}

function findingOf (target: string, { seed, counterexamplePath, counterexample, errorInstance }: RunDetails<unknown>): Finding {
  const error = errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance))
  return { target, seed, path: counterexamplePath ?? '', input: inputText(counterexample), error }
}

function inputText (counterexample: unknown): string {
  return stringify(Array.isArray(counterexample) ? counterexample[0] : counterexample)
}
