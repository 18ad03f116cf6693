// The loop of a shard that has a thread to itself: it waits in the kernel, forwards what has come, and reads what it is asked
// when somebody ends the wait by a write to the engine's eventfd.
import type { Clock } from '#core/clock.js'
import { SLICE_PAUSE_MS } from '../calls/call-runner.js'
import type { ShardBody } from '../body/shard-body.js'
import type { ShardCall, ShardCalls } from '../calls/shard.js'
import type { ToWorker } from './worker-messages.js'

export interface ShardLoopOptions {
  readonly body: Pick<ShardBody, 'run' | 'step' | 'isIdle' | 'nextDueAt' | 'expire' | 'tellTrace'>
  /** Waits up to `timeoutMs` (-1: for ever) and forwards; returns whether somebody ended the wait. */
  readonly turn: (timeoutMs: number) => boolean
  readonly clock: Clock
  /** The next message, if there is one. */
  readonly read: () => ToWorker | undefined
  readonly answer: (id: number, answer: unknown) => void
}

/** Messages are read for so long before datagrams have their turn, in ms. */
const READ_MS = 1

export class ShardLoop {
  readonly #options: ShardLoopOptions
  #isOpen = true
  #hasMessages = false

  constructor (options: ShardLoopOptions) {
    this.#options = options
  }

  /** False once it was told to close. */
  get isOpen (): boolean { return this.#isOpen }

  /** Waits for what comes next, at most `mostMs`, and does it. */
  turn (mostMs = Infinity): void {
    const { body, turn } = this.#options
    const timeoutMs = Math.min(mostMs, this.#pauseMs())
    if (turn(timeoutMs === Infinity ? -1 : timeoutMs) || this.#hasMessages) this.#readMessages()
    if (!body.isIdle) body.step()
    if (body.nextDueAt !== Infinity) body.expire()
    body.tellTrace()
  }

  #pauseMs (): number {
    if (this.#hasMessages) return 0
    const { body, clock } = this.#options
    const dueAt = body.nextDueAt
    const dueMs = dueAt === Infinity ? Infinity : Math.max(0, Math.ceil(dueAt - clock.now()))
    return body.isIdle ? dueMs : Math.min(dueMs, SLICE_PAUSE_MS)
  }

  // Does what was asked, or a part of it: `#hasMessages` says whether there may be more.
  #readMessages (): void {
    const { body, clock, read, answer } = this.#options
    const untilMs = clock.now() + READ_MS
    do {
      const message = read()
      this.#hasMessages = message !== undefined
      if (message === 'close') this.#isOpen = false
      else if (message !== undefined) body.run(message.name, message.args as Parameters<ShardCalls[ShardCall]>, result => { answer(message.id, result) })
    } while (this.#hasMessages && this.#isOpen && clock.now() < untilMs)
  }
}
