// A simulated world: the network, players and game servers, and between them one director, or several behind a balancer.
import type { Token } from '#wire/token.js'
import { Balancer } from './cast/balancer.js'
import { Clients } from './cast/clients.js'
import type { Datagram } from './cast/datagram.js'
import { Fleet, fleetEvents, type FleetEvent } from './cast/fleet.js'
import { Network } from './cast/network.js'
import { drawProfile, MOST_DIRECTORS, paceOf, type Profile } from './cast/profile.js'
import { Servers } from './cast/servers.js'
import { WorldStore } from './cast/world-store.js'
import { Agreement } from './checks/agreement.js'
import { Watch } from './checks/invariants.js'
import { takesSharing, worldOf, type Plant } from './checks/plants.js'
import { SharedBook } from './checks/shared-book.js'
import { traceWords } from './checks/trace-words.js'
import type { ControlLife } from './lives/control-life.js'
import { Director } from './lives/director.js'
import { UpstreamPorts } from './lives/proxy-life.js'
import { ProcessClock } from './platform/process-clock.js'
import type { Surroundings } from './platform/surroundings.js'
import { Random } from './basics/random.js'
import { Trace } from './basics/trace.js'
import { VirtualTime } from './basics/virtual-time.js'

export interface WorldSeed {
  readonly seed: number
  readonly plant: Plant | undefined
  /** Whether its directors share a store, whatever the seed would draw. */
  readonly isShared: boolean
}

export class World {
  readonly random: Random
  readonly profile: Profile
  readonly time = new VirtualTime()
  readonly trace: Trace
  readonly watch = new Watch()
  readonly fleet: Fleet
  readonly clients: Clients
  readonly servers: Servers
  readonly balancer: Balancer
  /** Tokens of answered queries, all there ever were: what an eavesdropper could have. */
  readonly known: Token[] = []
  /** Those that are there. */
  readonly directors: Director[] = []
  /** That they share, if they do. */
  readonly store: WorldStore | undefined
  readonly #shared: SharedBook | undefined
  readonly #surroundings: Surroundings
  readonly #agreement: Agreement
  readonly #ports = new UpstreamPorts()
  readonly #lives = { proxies: 0, controls: 0 }
  readonly #network: Network
  #directorsMade = 0
  #waitMs = 0

  /** @param actions names of what may happen in a step */
  constructor ({ seed, plant, isShared }: WorldSeed, actions: readonly string[]) {
    const random = this.random = new Random(seed)
    const profile = this.profile = worldOf(drawProfile(random, seed, isShared || takesSharing(plant)), plant)
    const trace = this.trace = new Trace({ action: actions, ...traceWords })
    const { time, watch } = this
    const network = this.#network = new Network(profile.network, random, time)
    this.fleet = new Fleet(profile, random)
    this.clients = new Clients(profile.clients, random)
    this.servers = new Servers({ fleet: this.fleet, network, profile, random, time, directors: this.directors })
    this.balancer = new Balancer(profile.balancer, random, time)
    const store = this.store = profile.store && new WorldStore({ profile: profile.store, random, time, clock: new ProcessClock(time, 0, 0), trace })
    const shared = this.#shared = store && new SharedBook({ time, watch, config: profile.config, store, ...paceOf(profile) })
    this.#surroundings = { random, time, trace, watch, network, profile, plant, store, shared, servers: this.servers, clients: this.clients }
    this.#agreement = new Agreement(this.#surroundings)
    for (let count = 0; count < profile.directors; count++) this.addDirector()
  }

  /** Some time passes. */
  async pass (): Promise<void> {
    await this.time.advance(this.#waitMs + this.random.between(0, this.profile.mostStepMs))
    this.#waitMs = 0
  }

  /** What is quick to check. */
  check (): void {
    for (const director of this.directors) director.check()
  }

  /** Everything else. */
  scan (): void {
    for (const director of this.directors) director.scan()
    this.#shared?.scan()
  }

  /** A datagram leaves for a data port. */
  send (datagram: Datagram): void {
    this.trace.note('sent', this.time.nowMs, datagram.source.id, datagram.dataPort, datagram.meaning)
    this.#network.send(() => {
      const number = this.balancer.pick(datagram.source, datagram.dataPort)
      this.directors.find(director => director.number === number)?.fromClient(datagram)
    })
  }

  /** Nothing else happens for a while. */
  wait (ms: number): void {
    this.#waitMs = ms
  }

  anyDirector (): Director | undefined {
    return this.directors.length < 2 ? this.directors[0] : this.random.pick(this.directors)
  }

  anyControl (): ControlLife | undefined {
    return this.anyDirector()?.anyControl()
  }

  changeFleet (event: FleetEvent): void {
    const number = this.fleet.anyNumber()
    const changes = this.fleet.happen(event, number)
    this.trace.note('fleet', this.time.nowMs, number, fleetEvents.indexOf(event), changes.length)
    for (const director of this.directors) director.hear(changes)
  }

  /** One more, if there is room for it; the balancer knows at once. */
  addDirector (): void {
    if (this.directors.length >= MOST_DIRECTORS) return
    const number = ++this.#directorsMade
    if (this.profile.directors > 1) this.trace.note('directorStarts', this.time.nowMs, number, this.directors.length)
    this.directors.push(new Director({
      surroundings: this.#surroundings,
      number,
      fleet: this.fleet,
      agreement: this.#agreement,
      lives: this.#lives,
      ports: this.#ports,
      known: this.known,
      onGone: director => { this.directors.splice(this.directors.indexOf(director), 1) }
    }))
    this.balancer.add(number)
  }

  /** A director is gone, with all it had. The balancer hears of it after `unknownMs`; another one comes after `downMs`. */
  killDirector (unknownMs: number, downMs: number): void {
    const director = this.anyDirector()
    if (director === undefined) return
    director.kill()
    this.time.plan(unknownMs, () => { this.balancer.remove(director.number) }, false)
    this.time.plan(downMs, () => { if (this.directors.length < this.profile.directors) this.addDirector() }, true)
  }

  /** A director is asked to leave: new flows go to others, and it is gone when it has drained. */
  drainDirector (): void {
    const staying = this.directors.filter(({ isLeaving }) => !isLeaving)
    if (staying.length < 2) return
    const director = this.random.pick(staying)
    this.balancer.drain(director.number)
    void director.leave().then(() => { this.balancer.remove(director.number) })
  }
}
