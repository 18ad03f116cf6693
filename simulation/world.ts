// A simulated world: the network, players and game servers, and between them one proxy and one or more control processes,
// which crash and come back.
import { Agreement } from './checks/agreement.js'
import { AnswerBook } from './checks/answer-book.js'
import { Clients } from './cast/clients.js'
import { ControlLife } from './lives/control-life.js'
import type { Datagram } from './cast/datagram.js'
import { Fleet, fleetEvents, type FleetEvent } from './cast/fleet.js'
import { Watch } from './checks/invariants.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { Network } from './cast/network.js'
import { worldOf, type Plant } from './checks/plants.js'
import { drawProfile, MOST_SHARDS, type Profile } from './cast/profile.js'
import { ProxyLife, UpstreamPorts } from './lives/proxy-life.js'
import { Random } from './basics/random.js'
import { Servers } from './cast/servers.js'
import type { Surroundings } from './platform/surroundings.js'
import { TokenBook } from './checks/token-book.js'
import { Trace } from './basics/trace.js'
import { traceWords } from './checks/trace-words.js'
import { VirtualTime } from './basics/virtual-time.js'

const MOST_CONTROLS = 3

export class World {
  readonly random: Random
  readonly profile: Profile
  readonly time = new VirtualTime()
  readonly trace: Trace
  readonly watch = new Watch()
  readonly fleet: Fleet
  readonly clients: Clients
  readonly servers: Servers
  readonly book: TokenBook
  readonly #answers: AnswerBook
  readonly #agreement: Agreement
  proxy: ProxyLife | undefined
  readonly #controls: ControlLife[] = []
  readonly #surroundings: Surroundings
  readonly #ports = new UpstreamPorts()
  readonly #storage = new MemoryStorage()
  #former: ProxyLife | undefined
  readonly #network: Network
  // Since when there have been these.
  #controlsSinceMs = 0
  #lives = 0
  #controlsMade = 0
  #waitMs = 0

  /** @param actions names of what may happen in a step */
  constructor (seed: number, plant: Plant | undefined, actions: readonly string[]) {
    const random = this.random = new Random(seed)
    const profile = this.profile = worldOf(drawProfile(random), plant)
    const trace = this.trace = new Trace({ action: actions, ...traceWords })
    const { time, watch } = this
    const network = this.#network = new Network(profile.network, random, time)
    const proxy = (): ProxyLife | undefined => this.proxy
    const fleet = this.fleet = new Fleet(profile, random)
    this.clients = new Clients(profile.clients, random)
    this.servers = new Servers({ fleet, network, profile, random, time, proxy })
    this.book = new TokenBook(time, watch, profile.config.limits.pushDeadlineMs, proxy)
    this.#answers = new AnswerBook(time, watch, this.book, profile.config.loadBalancing.type === 'leastSessions', proxy)
    this.#surroundings = { random, time, trace, watch, network, profile, plant, servers: this.servers, clients: this.clients }
    this.#agreement = new Agreement(this.#surroundings)
    this.#startProxy()
    this.addControl()
  }

  /** Some time passes. */
  async pass (): Promise<void> {
    await this.time.advance(this.#waitMs + this.random.between(0, this.profile.mostStepMs))
    this.#waitMs = 0
  }

  /** What is quick to check. */
  check (): void {
    this.proxy?.check()
    for (const control of this.#controls) control.check()
  }

  /** Everything else. */
  scan (): void {
    this.proxy?.scan()
    this.book.scan()
    this.#answers.scan()
    const [control] = this.#controls
    if (this.proxy !== undefined && control !== undefined && this.#controls.length === 1) this.#agreement.check(control, this.#controlsSinceMs, this.proxy)
  }

  /** A datagram leaves for a data port. */
  send (datagram: Datagram): void {
    this.trace.note('sent', this.time.nowMs, datagram.source.id, datagram.dataPort, datagram.meaning)
    this.#network.send(() => { this.proxy?.fromClient(datagram) })
  }

  /** Nothing else happens for a while. */
  wait (ms: number): void {
    this.#waitMs = ms
  }

  anyControl (): ControlLife | undefined {
    const control = this.#controls.length === 0 ? undefined : this.random.pick(this.#controls)
    return control?.hasStarted === true ? control : undefined
  }

  changeFleet (event: FleetEvent): void {
    const number = this.fleet.anyNumber()
    const changes = this.fleet.happen(event, number)
    this.trace.note('fleet', this.time.nowMs, number, fleetEvents.indexOf(event), changes.length)
    for (const control of this.#controls) control.hear(changes)
  }

  addControl (): void {
    if (this.#controls.length >= MOST_CONTROLS) this.crashControl(0)
    const number = ++this.#controlsMade
    this.trace.note('controlStarts', this.time.nowMs, number, this.#controls.length)
    const { fleet, book: tokens } = this
    const control = new ControlLife({ surroundings: this.#surroundings, number, fleet, tokens, answers: this.#answers, agreement: this.#agreement, proxy: () => this.proxy })
    this.#controls.push(control)
    this.#controlsSinceMs = this.time.nowMs
  }

  /** The proxy dies and is back after `downMs`. */
  crashProxy (downMs: number): void {
    if (this.proxy === undefined) return
    this.proxy.crash()
    this.#former = this.proxy
    this.proxy = undefined
    this.time.plan(downMs, () => { this.#startProxy() }, true)
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

  #lose (control: ControlLife, downMs: number): void {
    this.#controls.splice(this.#controls.indexOf(control), 1)
    this.#controlsSinceMs = this.time.nowMs
    if (this.#controls.length === 0) this.time.plan(downMs, () => { this.addControl() }, true)
  }

  #startProxy (): void {
    const { random, profile } = this
    const former = this.#former
    this.proxy = new ProxyLife({
      surroundings: this.#surroundings,
      number: ++this.#lives,
      shards: former === undefined ? profile.shards : random.chance(profile.reshards) ? random.between(1, MOST_SHARDS) : former.shards.length,
      ports: this.#ports,
      storage: this.#storage,
      former,
      onShards: life => { if (former !== undefined) this.book.restarted(former, life) }
    })
  }
}
