// What every shard is, on whatever engine and in whatever thread: core, journal, state log, and the calls that it answers.
//
//   engine ──datagrams──▶ core ──what happened──▶ journal ──▶ voice: lines, events
//     ▲                    │
//     └── beforeSend ◀── state log ◀── what changed          flush: before a datagram leaves, before a call is answered
//
// Written before sent, and written before answered: both are here, so that no engine and no host can forget them.
import type { Clock } from '#core/clock.js'
import type { Core } from '../../core/core.js'
import type { Forward } from '../../core/datagrams/asks.js'
import type { CoreOptions } from '../../core/datagrams/options.js'
import { TraceRing } from '../../core/ledger/trace-ring.js'
import type { Engine, EngineWiring } from '../../engines/engine.js'
import type { StateLog } from '../../state/state-log.js'
import type { StateStorage } from '../../state/files/state-storage.js'
import { CallRunner, type ShardCallTable } from '../calls/call-runner.js'
import { createReplicaCalls, type ReplicaTally } from '../calls/replica-calls.js'
import { createShardCalls } from '../calls/shard-calls.js'
import { createShardCore, type ShardCore } from './shard-core.js'
import { LeftOutLines, warningsOf } from '../journal/left-out.js'
import type { ShardStart } from './shard-start.js'
import { openStateLog, restoreShard, saveState } from './shard-state.js'
import { statsOf } from '../calls/shard-stats.js'
import type { ShardCall, ShardCalls } from '../calls/shard.js'
import type { ShardVoice } from '../journal/shard-voice.js'
import { SocketFaults } from '../journal/socket-faults.js'
import type { Translator } from '../calls/translate.js'

export interface ShardBodyOptions {
  readonly start: Pick<ShardStart, 'config' | 'stateStart' | 'isTracing'>
  readonly clock: Clock
  readonly voice: ShardVoice
  readonly core: CoreOptions
  /** Where the state log goes, if there is one. */
  readonly storage: StateStorage | undefined
}

/** What a shard asks of its engine. */
export type ShardEngine = Pick<Engine, 'dataPorts' | 'upstreamSockets' | 'receiveDrops' | 'sendHeld' | 'flushHeld' | 'sweep'>

export class ShardBody {
  readonly core: Core
  readonly translator: Translator
  /** What its engine is opened with. */
  readonly wiring: EngineWiring
  readonly #options: ShardBodyOptions
  readonly #parts: ShardCore
  readonly #socketFaults: SocketFaults
  readonly #leftOut: LeftOutLines
  readonly #sessionsRestored: number
  #onAsked: () => void = () => undefined
  #engine: ShardEngine | undefined
  #runner: CallRunner | undefined
  #log: StateLog | undefined

  /** Takes over what the process before this one had. */
  constructor (options: ShardBodyOptions) {
    const { start: { config, stateStart, isTracing }, clock, voice } = options
    const { warningsPerSecond, receiveBufferBytes, sendQueueBytes } = config.limits
    this.#options = options
    this.#parts = createShardCore(config, { ...options.core, trace: isTracing ? new TraceRing() : undefined }, clock, voice, () => { this.#onAsked() })
    const { core, translator } = this.#parts
    this.core = core
    this.translator = translator
    this.#sessionsRestored = stateStart === undefined ? 0 : restoreShard(stateStart, { core, clock, voice })
    this.#socketFaults = new SocketFaults({ voice, clock, linesPerSecond: warningsPerSecond })
    this.#leftOut = new LeftOutLines({ voice, clock, sources: [this.#parts.journal, this.#socketFaults, warningsOf(core.state)] })
    this.wiring = {
      core,
      clock,
      receiveBufferBytes,
      sendQueueBytes,
      dscp: config.dscp,
      onSocketError: this.#socketFaults.report,
      beforeSend: () => { this.#log?.flush() }
    }
  }

  /**
   * The engine's sockets are open: from now on calls are answered, and what changes is written.
   * @param around sees the calls before they are run
   */
  attach (engine: ShardEngine, around = (calls: ShardCallTable): ShardCallTable => calls): void {
    const { start: { stateStart }, clock, voice, storage } = this.#options
    const { core, translator, replicaWords, journal } = this.#parts
    this.#engine = engine
    const tally: ReplicaTally = { seenElsewhere: 0 }
    if (stateStart !== undefined && storage !== undefined) this.#log = openStateLog(stateStart, engine.dataPorts, { core, clock, voice }, storage)
    this.#runner = new CallRunner(around(createShardCalls({
      core,
      clock,
      translator,
      journal,
      replicas: createReplicaCalls({ core, clock, words: replicaWords, forward: this.#forward, tally }),
      stats: () => statsOf({ core, engine, journal, socketFaults: this.#socketFaults, log: this.#log, sessionsRestored: this.#sessionsRestored, replicas: tally }),
      sweepSockets: () => engine.sweep(),
      saveState: () => saveState(this.#log)
    })), clock)
  }

  /** Whether nothing is left for `step`. */
  get isIdle (): boolean { return this.#runner?.isIdle ?? true }

  /** Does what is asked, or a first slice of it. What it changed is written before `settle` is called with the answer. */
  run<Name extends ShardCall> (name: Name, args: Parameters<ShardCalls[Name]>, settle: (answer: ReturnType<ShardCalls[Name]>) => void): void {
    this.#runner!.run(name, args, answer => {
      this.#flush()
      settle(answer)
    })
    this.#flush()
    // Something is asked every second, and no packet waits for this.
    this.#leftOut.tell()
  }

  /** One more slice of what is under way. */
  step (): void {
    this.#runner?.step()
    this.#flush()
  }

  /** `run` is called whenever a client waits for the shared store from now on. */
  whenAsked (run: () => void): void {
    this.#onAsked = run
  }

  /** When `expire` has something to do, in ms of the clock; Infinity while nobody waits. */
  get nextDueAt (): number { return this.core.asks.nextDueAt }

  /** Goes on with those who have waited for long enough, some of them at a time. */
  expire (): void {
    const now = this.#options.clock.now()
    if (this.core.asks.nextDueAt > now) return
    this.core.asks.expire(now, this.#forward)
    this.#flush()
  }

  /** Tells of decisions about datagrams, if somebody wants to know. */
  tellTrace (): void {
    this.#parts.tracer?.tell()
  }

  // Written before sent, and before answered.
  #flush (): void {
    this.#engine?.flushHeld()
    this.#log?.flush()
  }

  readonly #forward: Forward = ({ dataPort, bytes, mark }) => { this.#engine!.sendHeld(this.core.packets.flow, dataPort, bytes, mark) }

  /** Nothing is written any more. */
  close (): void {
    this.#log?.close()
  }
}
