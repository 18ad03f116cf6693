// One process that is kept running: started, started again when it dies, and stopped when that is asked for.
import type { Logger } from 'pino'
import type { Cancel, Clock } from '#core/clock.js'
import { ExitCode } from '#core/exit-code.js'
import type { Child, OnLine, ProcessEnd, ProcessSpec, SpawnChild } from '../runtime/child.js'
import { restartDelay } from './back-off.js'

export interface ManagedProcessDeps {
  readonly clock: Clock
  readonly spawn: SpawnChild
  readonly log: Logger
  /** Left out: the process writes to our own stdout and stderr. */
  readonly onLine?: OnLine
  /** How long it may take to stop, in ms, before it is killed. */
  readonly stopGraceMs: number
  /** Its first start ended with the exit code of bad configuration: starting it again would not help. */
  readonly onRefused: (name: ProcessSpec['name']) => void
}

export class ManagedProcess {
  readonly #spec: ProcessSpec
  readonly #deps: ManagedProcessDeps
  #child: Child | undefined
  #starts = 0
  #startedMs = 0
  #delayMs: number | undefined
  #cancelRestart: Cancel | undefined
  #stopped: Promise<void> | undefined
  #onStopped: (() => void) | undefined
  #isKilled = false
  #isLeaving = false

  constructor (spec: ProcessSpec, deps: ManagedProcessDeps) {
    this.#spec = spec
    this.#deps = deps
  }

  /** Starts it; called once. */
  start (): void {
    if (this.#isKilled) return
    const { clock, spawn, log, onLine } = this.#deps
    this.#starts++
    this.#startedMs = clock.now()
    this.#child = spawn(this.#spec, {
      ...onLine === undefined ? {} : { line: onLine },
      end: end => { this.#ended(end) }
    })
    log.info({ child: this.#spec.name, pid: this.#child.pid, starts: this.#starts }, 'Process started')
  }

  /** From now on it is not started again if it ends as asked: whoever told us to stop may have told it, too. */
  leave (): void {
    this.#isLeaving = true
  }

  /** Asks it to stop, kills it if it does not, and resolves when it has ended. It is not started again. */
  async stop (): Promise<void> {
    this.#stopped ??= this.#stop()
    await this.#stopped
  }

  /** Ends it at once. It is not started again. */
  kill (): void {
    this.#isKilled = true
    this.#cancelRestart?.()
    this.#child?.signal('SIGKILL')
  }

  async #stop (): Promise<void> {
    this.#cancelRestart?.()
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>(resolve => { this.#onStopped = resolve })
    const { clock, log, stopGraceMs } = this.#deps
    const cancelKill = clock.after(stopGraceMs, () => {
      log.warn({ child: this.#spec.name, pid: child.pid, afterMs: stopGraceMs }, 'Process does not stop, it is killed')
      child.signal('SIGKILL')
    })
    child.signal('SIGTERM')
    await ended
    cancelKill()
  }

  #ended ({ code, signal }: ProcessEnd): void {
    const { clock, log, onRefused } = this.#deps
    const child = this.#spec.name
    this.#child = undefined
    if (this.#onStopped !== undefined || this.#isKilled || (this.#isLeaving && code === ExitCode.ok)) {
      log.info({ child, exitCode: code, signal }, 'Process stopped')
      this.#onStopped?.()
      return
    }
    if (code === ExitCode.config && this.#starts === 1) {
      onRefused(child)
      return
    }
    this.#delayMs = restartDelay(clock.now() - this.#startedMs, this.#delayMs)
    log.error({ child, exitCode: code, signal, retryInMs: this.#delayMs }, 'Process died')
    this.#cancelRestart = clock.after(this.#delayMs, () => { this.start() })
  }
}
