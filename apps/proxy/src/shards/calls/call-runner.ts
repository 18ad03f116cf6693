// Runs what a shard is asked, on the thread that forwards its datagrams. What takes long is done in slices, with everything
// else in between; calls of one name keep their order, and one that has not ended makes none of another name wait.
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import type { ShardCall, ShardCalls } from './shard.js'

/** How a shard answers each call: at once, or in slices. */
export type ShardCallTable = { readonly [Name in ShardCall]: (...args: Parameters<ShardCalls[Name]>) => ReturnType<ShardCalls[Name]> | Slices<ReturnType<ShardCalls[Name]>> }

interface Job {
  readonly slices: Slices<unknown>
  readonly settle: (answer: unknown) => void
}

/** Between two slices, in ms, so that what is sliced takes a part of the thread's time and not all of it. */
export const SLICE_PAUSE_MS = 1

export class CallRunner {
  readonly #table: ShardCallTable
  readonly #clock: Clock
  // By name, in the order in which they came; the first of each has begun.
  readonly #jobs = new Map<ShardCall, Job[]>()
  #restedAt = 0

  constructor (table: ShardCallTable, clock: Clock) {
    this.#table = table
    this.#clock = clock
  }

  /** Whether nothing is left for `step`. */
  get isIdle (): boolean { return this.#jobs.size === 0 }

  /** Does what is asked, or a first slice of it. `settle` is called with the answer, before this returns if it takes no more. */
  run <Name extends ShardCall> (name: Name, args: Parameters<ShardCalls[Name]>, settle: (answer: ReturnType<ShardCalls[Name]>) => void): void {
    const answer = (this.#table[name] as (...given: typeof args) => ReturnType<ShardCalls[Name]> | Slices<ReturnType<ShardCalls[Name]>>)(...args)
    if (!isSlices(answer)) {
      settle(answer)
      return
    }
    const job: Job = { slices: answer, settle: settle as Job['settle'] }
    const waiting = this.#jobs.get(name)
    if (waiting !== undefined) waiting.push(job)
    else if (!this.#slice(job)) this.#jobs.set(name, [job])
  }

  /** One more slice of what is under way, each name in turn; nothing if the last one was only just. */
  step (): void {
    const next = this.#jobs.entries().next().value
    if (next === undefined || this.#clock.now() - this.#restedAt < SLICE_PAUSE_MS) return
    const [name, jobs] = next
    this.#jobs.delete(name)
    if (this.#slice(jobs[0]!)) jobs.shift()
    if (jobs.length > 0) this.#jobs.set(name, jobs)
  }

  // Whether that was the last one.
  #slice ({ slices, settle }: Job): boolean {
    const slice = slices.next(this.#clock.now())
    if (slice.done === true) settle(slice.value)
    this.#restedAt = this.#clock.now()
    return slice.done === true
  }
}

// Answers are plain data.
function isSlices (answer: unknown): answer is Slices<unknown> {
  return typeof answer === 'object' && answer !== null && Symbol.iterator in answer && 'next' in answer
}
