// What is fuzzed: inputs that nobody meant, and what has to hold whatever they are.
import fc from 'fast-check'

/** What one input is tried on. */
export interface Subject<Input> {
  /** Throws if something does not hold for this input. */
  readonly check: (input: Input) => void | Promise<void>
  readonly close?: () => Promise<void>
}

export interface FuzzTargetSpec<Input> {
  readonly name: string
  /** What is fed, and what must hold: for `--help`. */
  readonly what: string
  readonly inputs: fc.Arbitrary<Input>
  /** Tried before all others: inputs that were a fault once, or are unlikely to be found. */
  readonly corpus?: readonly Input[]
  /** Inputs that `npm test` tries. */
  readonly testRuns: number
  readonly open: () => Subject<Input> | Promise<Subject<Input>>
}

export interface OpenFuzzTarget {
  /** Tries the corpus and then this many inputs, which the seed determines; stops at the first that fails, made as small as possible. */
  readonly run: (round: Round) => Promise<fc.RunDetails<unknown>>
  readonly close: () => Promise<void>
}

export interface Round {
  readonly seed: number
  readonly runs: number
  /** Where in the round a failure was, to replay that alone. */
  readonly path?: string | undefined
}

export interface FuzzTarget extends Pick<FuzzTargetSpec<unknown>, 'name' | 'what' | 'testRuns'> {
  readonly open: () => Promise<OpenFuzzTarget>
}

/** A target without its type of input, so that all fit one table. */
export function fuzzTarget<Input> ({ name, what, testRuns, inputs, corpus = [], open }: FuzzTargetSpec<Input>): FuzzTarget {
  return {
    name,
    what,
    testRuns,
    open: async () => {
      const { check, close } = await open()
      const property = fc.asyncProperty(inputs, async input => { await check(input) })
      return {
        run: async ({ seed, runs, path }) => await fc.check(property, {
          seed,
          numRuns: runs + corpus.length,
          examples: corpus.map((input): [Input] => [input]),
          ...path === undefined ? {} : { path }
        }) as fc.RunDetails<unknown>,
        close: async () => { await close?.() }
      }
    }
  }
}

/** Throws unless it holds. */
export function must (holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence)
}
