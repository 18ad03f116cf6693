// Runs a shard's calls in the thread of its engine's sockets: what takes long goes on in slices, with datagrams in between.
import type { Cancel, Clock } from '#core/clock.js'
import { SLICE_PAUSE_MS } from '../calls/call-runner.js'
import type { ShardBody } from '../body/shard-body.js'
import type { ShardCall, ShardCalls } from '../calls/shard.js'

export class LocalHost {
  readonly #body: ShardBody
  readonly #clock: Clock
  #cancelStep: Cancel | undefined

  constructor (body: ShardBody, clock: Clock) {
    this.#body = body
    this.#clock = clock
  }

  run<Name extends ShardCall> (name: Name, args: Parameters<ShardCalls[Name]>, settle: (answer: ReturnType<ShardCalls[Name]>) => void): void {
    this.#body.run(name, args, settle)
    this.#stepSoon()
  }

  readonly call = async <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>> =>
    await new Promise(resolve => { this.run(name, args, resolve) })

  /** What is under way stays as it is. */
  close (): void {
    this.#cancelStep?.()
  }

  #stepSoon (): void {
    if (this.#cancelStep !== undefined || this.#body.isIdle) return
    this.#cancelStep = this.#clock.after(SLICE_PAUSE_MS, () => {
      this.#cancelStep = undefined
      this.#body.step()
      this.#stepSoon()
    })
  }
}
