// The steps of the walk-through as they are done: a line each, with its measured time, and one for the whole.
import type { Clock } from '#core/clock.js'
import type { Runtime } from '../runtime/runtime.js'

/** What a step found is not what it should be. */
export class StepFailure extends Error {}

/** Runs one step of the walk-through, under a name that says what it shows. Throws what `run` throws. */
export type Step = <Value>(name: string, run: () => Promise<Value>) => Promise<Value>

/** Fails the step unless `actual` is `wanted`, compared as JSON. */
export function expectEqual (what: string, actual: unknown, wanted: unknown): void {
  const [actualText, wantedText] = [textOf(actual), textOf(wanted)]
  if (actualText !== wantedText) throw new StepFailure(`${what}: expected ${wantedText}, got ${actualText}`)
}

function textOf (value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}

export class StepReport {
  readonly #runtime: Pick<Runtime, 'out' | 'style' | 'isTerminal'>
  readonly #clock: Clock
  readonly #startedMs: number
  #passed = 0
  #failed = 0

  constructor (runtime: Pick<Runtime, 'out' | 'style' | 'isTerminal' | 'clock'>) {
    this.#runtime = runtime
    this.#clock = runtime.clock
    this.#startedMs = runtime.clock.now()
  }

  get isGood (): boolean {
    return this.#failed === 0
  }

  readonly step: Step = async (name, run) => {
    const startedMs = this.#clock.now()
    try {
      const value = await run()
      this.#passed++
      this.#line(true, startedMs, name)
      return value
    } catch (error) {
      this.#failed++
      this.#line(false, startedMs, name)
      void this.#runtime.out(`${' '.repeat(14)}${error instanceof Error ? describe(error) : String(error)}\n`)
      throw error
    }
  }

  /** The closing line: `10 passed, 0 failed in 312 ms`. */
  close (): void {
    const { out, style } = this.#runtime
    const text = `${this.#passed} passed, ${this.#failed} failed in ${(this.#clock.now() - this.#startedMs).toFixed(0)} ms`
    void out(`\n${this.isGood ? style.green(text) : style.red(text)}\n`)
  }

  #line (isGood: boolean, startedMs: number, name: string): void {
    const { out, style, isTerminal } = this.#runtime
    const elapsed = `${(this.#clock.now() - startedMs).toFixed(1)} ms`.padStart(9)
    const mark = isGood ? style.green(isTerminal ? '✓' : 'ok  ') : style.red(isTerminal ? '✗' : 'FAIL')
    void out(`${mark} ${style.dim(elapsed)}  ${name}\n`)
  }
}

// Where an error has a cause, that is the reason.
function describe ({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
