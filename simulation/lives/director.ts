// One director of a world: a proxy and one or more control processes, which crash and come back, with the directory that
// outlives them, and the books of what they have promised. The last of it is gone when the machine or pod is.
import type { Token } from '#wire/token.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import type { Datagram } from '../cast/datagram.js'
import type { Fleet, FleetChange } from '../cast/fleet.js'
import { MOST_SHARDS } from '../cast/profile.js'
import type { Agreement } from '../checks/agreement.js'
import { AnswerBook } from '../checks/answer-book.js'
import { isInStep } from '../checks/promiser.js'
import { TokenBook } from '../checks/token-book.js'
import type { Surroundings } from '../platform/surroundings.js'
import { ControlLife } from './control-life.js'
import { ProxyLife, type UpstreamPorts } from './proxy-life.js'

const MOST_CONTROLS = 3

/** How many lives there were, of all directors: a number is never used twice. */
export interface Lives {
  proxies: number
  controls: number
}

export interface DirectorOptions {
  readonly surroundings: Surroundings
  readonly number: number
  readonly fleet: Fleet
  readonly agreement: Agreement
  readonly lives: Lives
  readonly ports: UpstreamPorts
  /** Tokens of answered queries, of all directors. */
  readonly known: Token[]
  /** Called when all of it is gone for good. */
  readonly onGone: (director: Director) => void
}

export class Director {
  readonly number: number
  readonly book: TokenBook
  readonly #options: DirectorOptions
  readonly #answers: AnswerBook
  readonly #controls: ControlLife[] = []
  readonly #storage = new MemoryStorage()
  #proxy: ProxyLife | undefined
  #former: ProxyLife | undefined
  // Since when there have been these.
  #controlsSinceMs = 0
  /** False once all of it is gone for good. */
  isThere = true
  isLeaving = false

  constructor (options: DirectorOptions) {
    const { surroundings: { time, watch, shared, profile: { config } }, known } = options
    this.number = options.number
    this.#options = options
    const proxy = (): ProxyLife | undefined => this.#proxy
    this.book = new TokenBook({
      time,
      watch,
      pushDeadlineMs: config.limits.pushDeadlineMs + (shared === undefined ? 0 : config.limits.storeDeadlineMs),
      proxy,
      known,
      onTakenBack: token => { shared?.takenBack(token) },
      isRedeemedElsewhere: token => shared?.isClaimed(token) === true
    })
    shared?.books.add(this.book)
    shared?.views.set(options.number, () => this.#controls.map(({ view }) => view))
    shared?.inStep.set(options.number, () => this.#inStepSinceMs())
    this.#answers = new AnswerBook(time, watch, this.book, config.loadBalancing.type === 'leastSessions', proxy)
    this.#startProxy()
    this.addControl()
  }

  get proxy (): ProxyLife | undefined { return this.#proxy }

  /** What is quick to check. */
  check (): void {
    this.#proxy?.check()
    for (const control of this.#controls) control.check()
  }

  /** Everything else. */
  scan (): void {
    const { agreement } = this.#options
    this.#proxy?.scan()
    this.book.scan()
    this.#answers.scan()
    for (const control of this.#controls) control.scan()
    const [control] = this.#controls
    if (this.#proxy !== undefined && control?.hasStarted === true && this.#controls.length === 1) agreement.check(control, this.#controlsSinceMs, this.#proxy)
  }

  fromClient (datagram: Datagram): void {
    this.#proxy?.fromClient(datagram)
  }

  fromTarget (upstreamPort: number, words: Uint32Array, port: number, bytes: Uint8Array): void {
    this.#proxy?.fromTarget(upstreamPort, words, port, bytes)
  }

  anyControl (): ControlLife | undefined {
    const control = this.#controls.length === 0 ? undefined : this.#options.surroundings.random.pick(this.#controls)
    return control?.hasStarted === true ? control : undefined
  }

  hear (changes: readonly FleetChange[]): void {
    for (const control of this.#controls) control.hear(changes)
  }

  addControl (): void {
    if (this.#controls.length >= MOST_CONTROLS) this.crashControl(0)
    const { surroundings, fleet, agreement, lives } = this.#options
    const { time, trace } = surroundings
    const number = ++lives.controls
    trace.note('controlStarts', time.nowMs, number, this.#controls.length)
    const control = new ControlLife({ surroundings, number, director: this.number, fleet, tokens: this.book, answers: this.#answers, agreement, proxy: () => this.#proxy })
    this.#controls.push(control)
    this.#controlsSinceMs = time.nowMs
  }

  /** The proxy dies and is back after `downMs`. */
  crashProxy (downMs: number): void {
    if (this.#proxy === undefined) return
    this.#proxy.crash()
    this.#former = this.#proxy
    this.#proxy = undefined
    this.#afterwards(downMs, () => { this.#startProxy() })
  }

  /** A control process dies; the last one is back after `downMs`. */
  crashControl (downMs: number): void {
    const control = this.anyControl()
    if (control === undefined) return
    control.crash()
    this.#lose(control, downMs)
  }

  /** A control process is asked to stop; the last one is back `downMs` after it has. */
  stopControl (downMs: number): void {
    const control = this.anyControl()
    if (control === undefined || control.isDraining) return
    void control.stop().then(() => { if (this.#controls.includes(control)) this.#lose(control, downMs) })
  }

  /** All of it is asked to stop, and is gone when its control processes have drained. */
  async leave (): Promise<void> {
    this.isLeaving = true
    await Promise.all(this.#controls.map(async control => { if (control.hasStarted && !control.isDraining) await control.stop() }))
    this.kill()
  }

  /** All of it is gone at once, with what it had written. */
  kill (): void {
    if (!this.isThere) return
    const { surroundings: { time, trace }, onGone } = this.#options
    trace.note('directorGone', time.nowMs, this.number, this.#proxy?.sessions ?? 0)
    this.isThere = false
    this.#proxy?.crash()
    this.#proxy = undefined
    for (const control of this.#controls.splice(0)) if (control.isAlive) control.crash()
    onGone(this)
  }

  #inStepSinceMs (): number {
    const life = this.#proxy
    const since = this.#controls.filter(control => control.hasStarted && life !== undefined && isInStep(control, life)).map(({ synchronisedMs }) => synchronisedMs)
    return since.length === 0 ? Infinity : Math.max(...since)
  }

  #lose (control: ControlLife, downMs: number): void {
    const { time } = this.#options.surroundings
    this.#controls.splice(this.#controls.indexOf(control), 1)
    this.#controlsSinceMs = time.nowMs
    if (this.#controls.length === 0) this.#afterwards(downMs, () => { this.addControl() })
  }

  #afterwards (downMs: number, run: () => void): void {
    this.#options.surroundings.time.plan(downMs, () => { if (this.isThere) run() }, true)
  }

  #startProxy (): void {
    const { surroundings, lives, ports } = this.#options
    const { random, profile } = surroundings
    const former = this.#former
    this.#proxy = new ProxyLife({
      surroundings,
      number: ++lives.proxies,
      director: this.number,
      shards: former === undefined ? profile.shards : random.chance(profile.reshards) ? random.between(1, MOST_SHARDS) : former.shards.length,
      ports,
      storage: this.#storage,
      former,
      onShards: life => { if (former !== undefined) this.book.restarted(former, life) }
    })
  }
}
