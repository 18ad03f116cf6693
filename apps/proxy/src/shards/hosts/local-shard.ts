// A shard in the thread of its engine's sockets, which is the main one: what takes long goes on in slices, with datagrams
// in between.
import type { Cancel, Clock } from '#core/clock.js'
import type { Engine, EngineWiring } from '../../engines/engine.js'
import type { StateStorage } from '../../state/files/state-storage.js'
import { coreOptions } from '../body/core-options.js'
import { ShardBody } from '../body/shard-body.js'
import type { ShardStart } from '../body/shard-start.js'
import { SLICE_PAUSE_MS } from '../calls/call-runner.js'
import type { Shard, ShardCall, ShardCalls } from '../calls/shard.js'
import type { ShardVoice } from '../journal/shard-voice.js'

/** Runs a shard's calls in this thread. */
export class LocalHost {
  readonly #body: ShardBody
  readonly #clock: Clock
  #cancelStep: Cancel | undefined
  #cancelExpiry: Cancel | undefined
  #expiryAt = Infinity

  constructor (body: ShardBody, clock: Clock) {
    this.#body = body
    this.#clock = clock
    body.whenAsked(() => { this.#expireLater() })
  }

  run<Name extends ShardCall> (name: Name, args: Parameters<ShardCalls[Name]>, settle: (answer: ReturnType<ShardCalls[Name]>) => void): void {
    this.#body.run(name, args, settle)
    this.#stepSoon()
    this.#expireLater()
  }

  readonly call = async <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>> =>
    await new Promise(resolve => { this.run(name, args, resolve) })

  /** What is under way stays as it is. */
  close (): void {
    this.#cancelStep?.()
    this.#cancelExpiry?.()
  }

  #stepSoon (): void {
    if (this.#cancelStep !== undefined || this.#body.isIdle) return
    this.#cancelStep = this.#clock.after(SLICE_PAUSE_MS, () => {
      this.#cancelStep = undefined
      this.#body.step()
      this.#stepSoon()
    })
  }

  // A timer only while somebody waits.
  #expireLater (): void {
    const dueAt = this.#body.nextDueAt
    if (dueAt >= this.#expiryAt && dueAt !== Infinity) return
    this.#cancelExpiry?.()
    this.#expiryAt = dueAt
    if (dueAt === Infinity) return
    this.#cancelExpiry = this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => {
      this.#expiryAt = Infinity
      this.#body.expire()
      this.#expireLater()
    })
  }
}

export interface LocalShardOptions {
  readonly start: ShardStart
  readonly clock: Clock
  readonly random: () => number
  readonly voice: ShardVoice
  readonly storage: StateStorage | undefined
  /** Binds the data ports. Throws BindError, with nothing left open. */
  readonly openEngine: (wiring: EngineWiring) => Promise<Engine>
}

// How often decisions are told of, in ms.
const TRACE_PERIOD_MS = 20

/** Opens it with its engine; fails as that does. */
export async function openLocalShard ({ start, clock, random, voice, storage, openEngine }: LocalShardOptions): Promise<Shard> {
  const body = new ShardBody({ start, clock, voice, core: coreOptions(start, random), storage })
  const engine = await openEngine(body.wiring)
  body.attach(engine)
  const host = new LocalHost(body, clock)
  const stopTracing = start.isTracing ? clock.every(TRACE_PERIOD_MS, () => { body.tellTrace() }) : () => {}
  return {
    dataPorts: engine.dataPorts,
    call: host.call,
    close: async () => {
      host.close()
      stopTracing()
      body.close()
      await engine.close()
    }
  }
}
