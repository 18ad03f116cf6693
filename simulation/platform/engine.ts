// A simulated engine: what apps/proxy/src/engines do with sockets, on numbers. It feeds the core, obeys its verdicts, and
// tells the ledger what it saw on either side of it.
import { ADDRESS_WORDS } from '#wire/address.js'
import { tokenFromWords } from '#wire/token.js'
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import type { Core } from '../../apps/proxy/src/core/core.js'
import { columnOf, Direction, directionNames, REASONS } from '../../apps/proxy/src/core/ledger/counters.js'
import { DropReason } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { FORWARD, HELD, type Verdict } from '../../apps/proxy/src/core/ledger/verdict.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'
import { addressOf, endpointOf, type Address } from '../cast/address-book.js'
import { Meaning, type Datagram } from '../cast/datagram.js'
import type { Restored, Word } from '../checks/ledger-entries.js'
import type { HeldBook } from '../checks/held-book.js'
import type { ShardLedger } from '../checks/ledger.js'
import type { Surroundings } from './surroundings.js'

export interface EngineOptions {
  readonly core: Core
  readonly clock: Clock
  readonly ledger: ShardLedger
  readonly held: HeldBook
  readonly surroundings: Surroundings
  /** Number of the director that it is of. */
  readonly director: number
  /** A port for a new upstream socket, which is registered under it. */
  readonly openPort: (engine: SimEngine, socketNumber: number, wanted: number) => number
  /** Called before anything leaves. */
  readonly beforeSend: () => void
  readonly closePort: (port: number) => void
  /** False once the process is gone: what is in its buffers goes nowhere. */
  readonly isAlive: () => boolean
}

const QUEUED_AT_MOST = 20
const SEND_MS = 3

/** Deadlines are kept to the millisecond. */
const ROUNDED_MS = 1

export class SimEngine {
  readonly #options: EngineOptions
  // By socket number, and by family as in the real pools.
  readonly #ports: readonly [Map<number, number>, Map<number, number>] = [new Map(), new Map()]
  readonly #received = [0, 0]
  readonly #held = [0, 0]
  readonly #words = new Uint32Array(ADDRESS_WORDS)
  #isTouched = true
  /** The client's datagram that is judged now, or was last. */
  judged: Datagram | undefined
  // For the planted bugs.
  #formerBytes: Uint8Array | undefined
  #formerReceived: Uint8Array | undefined
  #formerSource: Address | undefined
  #formerClient: Address | undefined
  readonly #firstEndpoint = new Map<number, number>()

  constructor (options: EngineOptions) {
    this.#options = options
    // The counters go on where those of the life before have ended.
    const { counters } = options.core.state
    for (const direction of [Direction.toTarget, Direction.toClient]) this.#received[direction] = sumOf(counters.received, columnOf(counters.dataPorts, direction, 0), counters.dataPorts + 1)
    this.#attend()
  }

  upstreamSockets (): number {
    return this.#ports[0].size + this.#ports[1].size
  }

  /** A datagram arrives at a data port. */
  fromClient (datagram: Datagram): void {
    const { core, clock, ledger, held, surroundings: { trace, time, plant } } = this.#options
    const source = plant === 'anothersSource' && datagram.meaning === Meaning.control ? this.#formerSource ?? datagram.source : datagram.source
    this.#formerSource = datagram.source
    this.#received[Direction.toTarget]!++
    this.#isTouched = true
    this.judged = datagram
    ledger.beforeClient(datagram, core.state.sessions.isFull)
    const bytes = plant === 'heldMixed' && held.waits(source.id) ? this.#formerReceived ?? datagram.bytes : datagram.bytes
    this.#formerReceived = datagram.bytes
    const verdict = core.packets.fromClient(datagram.dataPort, source.words, source.port, bytes, false, clock.now())
    trace.note('received', time.nowMs, datagram.source.id, datagram.dataPort, verdict)
    if (plant === 'retransmitForwarded' && verdict !== FORWARD) this.#forgetToken(datagram.source)
    if (plant === 'evictsTooMany' && core.state.sessions.isFull) this.#evict()
    this.#judged(datagram, verdict, undefined)
    if (verdict === HELD) held.held(datagram)
    else if (verdict <= FORWARD) held.passed(datagram)
    if (verdict === FORWARD) this.#forward(datagram, core.packets.flow)
  }

  /** A datagram that waited goes on: the one that was judged last. */
  sendHeld (flow: number, dataPort: number, bytes: Uint8Array): void {
    this.#forward({ ...this.judged!, dataPort, bytes: bytes.slice() }, flow)
  }

  // Those that waited are judged out of sight of any engine: this looks over the shoulder of whoever does it.
  #attend (): void {
    const { core: { packets }, held, surroundings: { trace, time, profile: { config: { limits: { storeDeadlineMs } } } } } = this.#options
    const judge = packets.judgeHeld.bind(packets)
    const drop = packets.dropHeld.bind(packets)
    packets.judgeHeld = (head, client, turn, now) => {
      const address = addressOf(client, client[ADDRESS_WORDS]!)
      const datagram = held.turn(address, head.bytes)
      const word = this.#turn(address, datagram)
      const verdict = judge(head, client, turn, now)
      trace.note('judged', time.nowMs, address.id, head.dataPort, verdict)
      this.#judged(datagram, verdict, word)
      if (verdict !== HELD) held.done(address.id)
      return verdict
    }
    packets.dropHeld = (datagram, client, reason, now) => {
      const address = addressOf(client, client[ADDRESS_WORDS]!)
      const first = held.turn(address, datagram.bytes)
      if (reason === DropReason.storeLate) held.tooLate(address.id, time.nowMs - storeDeadlineMs + ROUNDED_MS)
      const word = this.#turn(address, first)
      drop(datagram, client, reason, now)
      trace.note('judged', time.nowMs, address.id, datagram.dataPort, reason)
      this.#judged(first, reason, word)
      held.done(address.id)
    }
  }

  #turn (address: Address, datagram: Datagram): Word | undefined {
    const { core: { state: { sessions } }, ledger, held } = this.#options
    this.#isTouched = true
    const word = held.takeWord(address.id)
    if (word?.session !== undefined) ledger.followed(address, word.session, sessions.isFull, this)
    this.judged = datagram
    ledger.beforeClient(datagram, sessions.isFull, word)
    return word
  }

  #judged (datagram: Datagram, verdict: Verdict, word: Word | undefined): void {
    const { ledger, surroundings: { shared }, director } = this.#options
    ledger.afterClient(datagram, verdict, this)
    shared?.judged(director, datagram, verdict, word)
    if (ledger.isOfStranger && ledger.areAsksHeard && word === undefined) shared?.unasked(director, datagram, verdict)
  }

  #forward (datagram: Datagram, flow: number): void {
    const { core: { state: { flows } }, ledger, surroundings: { trace, time, plant, servers, shared }, director } = this.#options
    const { words, port, isIPv4 } = flows.endpoint(flow)
    let endpoint = endpointOf(words, port)
    if (plant === 'targetRemembered') endpoint = getOrSet(this.#firstEndpoint, datagram.source.id, endpoint)
    const bytes = plant === 'buffersMixed' ? this.#formerBytes ?? datagram.bytes : datagram.bytes
    this.#formerBytes = datagram.bytes
    const from = this.#portOf(flows.socket(flow), isIPv4)
    const entry = ledger.forwarded({ ...datagram, bytes }, endpoint, from)
    // Without room for a target it stays where it is.
    if (entry?.hasRedeemed === true && !this.areTargetsFull()) shared?.forwarded(director, datagram.source, entry.place)
    trace.note('forwarded', time.nowMs, datagram.source.id, endpoint, from)
    this.#send(Direction.toTarget, datagram.dataPort, bytes.length, () => { servers.receive(endpoint, from, bytes) })
  }

  /** A datagram arrives at an upstream socket. */
  fromTarget (socketNumber: number, words: Uint32Array, port: number, bytes: Uint8Array, upstreamPort: number): void {
    const { core, clock, ledger, surroundings: { trace, time, plant, clients } } = this.#options
    const { flows, sessions } = core.state
    this.#received[Direction.toClient]!++
    this.#isTouched = true
    let verdict = core.packets.fromTarget(socketNumber, words, port, bytes.length, false, clock.now())
    let { flow, session } = core.packets
    const endpoint = endpointOf(words, port)
    trace.note('reply', time.nowMs, endpoint, upstreamPort, verdict)
    if (plant === 'replySourceUnchecked' && verdict === DropReason.replySource && core.state.sessions.size > 0) {
      session = firstLive(sessions)
      flow = sessions.firstFlow(session)
      if (flow >= 0) verdict = FORWARD
    }
    if (verdict !== FORWARD) return
    sessions.readClientWords(session, this.#words)
    const client = addressOf(this.#words, sessions.clientPort(session))
    const address = plant === 'replyToFormerClient' ? this.#formerClient ?? client : client
    this.#formerClient = client
    const dataPort = flows.dataPort(flow)
    ledger.replied(address, dataPort, bytes, endpoint)
    this.#send(Direction.toClient, dataPort, bytes.length, () => {
      trace.note('delivered', time.nowMs, address.id, endpoint, dataPort)
      clients.receive(address, dataPort)
    })
  }

  /** Where the proxy has the session of a client address. */
  readonly placeOf = ({ key }: Address): TargetSpec | undefined => {
    const { core: { state }, clock } = this.#options
    const slot = state.sessions.find(key)
    return slot < 0 || state.isExpired(slot, clock.now()) ? undefined : state.targets.get(state.sessions.target(slot))
  }

  readonly areTargetsFull = (): boolean => {
    const { targets, options: { limits } } = this.#options.core.state
    return targets.size >= limits.maxTargets
  }

  /** Counts those that are idle too long, too: until somebody looks, they take a place. */
  readonly isPrefixFull = ({ prefix }: Address): boolean => {
    const { sessions, options: { limits } } = this.#options.core.state
    let count = 0
    for (let slot = 0; slot < sessions.highWater; slot++) {
      if (!sessions.isLive(slot) || !sessions.hasRedeemed(slot)) continue
      sessions.readClientWords(slot, this.#words)
      if (addressOf(this.#words, sessions.clientPort(slot)).prefix === prefix) count++
    }
    return count >= limits.maxSessionsPerPrefix
  }

  /** All sessions that are not idle too long, by client address. */
  places (): Map<number, TargetSpec> {
    const { core: { state }, clock } = this.#options
    const places = new Map<number, TargetSpec>()
    for (let slot = 0; slot < state.sessions.highWater; slot++) {
      if (!state.sessions.isLive(slot) || state.isExpired(slot, clock.now())) continue
      state.sessions.readClientWords(slot, this.#words)
      places.set(addressOf(this.#words, state.sessions.clientPort(slot)).id, state.targets.get(state.sessions.target(slot)))
    }
    return places
  }

  /** Opens the sockets of a former life. */
  reopen (): void {
    const { core: { state: { upstreamPorts } }, surroundings: { plant } } = this.#options
    for (let slot = 0; slot < upstreamPorts.slots; slot++) {
      if (upstreamPorts.atSlot(slot) === 0) continue
      if (plant === 'portsChosenAnew') upstreamPorts.set(slot >> 1, slot % 2 === 0, 0)
      this.#portOf(slot >> 1, slot % 2 === 0)
    }
  }

  /** All sessions, as a former life left them. */
  restored (): Map<number, Restored> {
    const { core: { state: { sessions, targets, flows, upstreamPorts } }, clock, surroundings: { time, profile } } = this.#options
    const restored = new Map<number, Restored>()
    for (let slot = 0; slot < sessions.highWater; slot++) {
      if (!sessions.isLive(slot)) continue
      sessions.readClientWords(slot, this.#words)
      const address = addressOf(this.#words, sessions.clientPort(slot))
      const words = new Uint32Array(ADDRESS_WORDS)
      const tokenUntil = sessions.readToken(slot, words)
      const { datagramsToTarget, bytesToTarget, bytesToClient } = sessions.traffic(slot)
      const ports = new Map<number, number>()
      for (let dataPort = 0; dataPort < profile.config.dataPorts.length; dataPort++) {
        const flow = flows.findInList(sessions.firstFlow(slot), dataPort)
        if (flow >= 0) ports.set(dataPort, upstreamPorts.get(flows.socket(flow), flows.endpoint(flow).isIPv4))
      }
      restored.set(address.id, {
        address,
        place: targets.get(sessions.target(slot)),
        lastSeenMs: sessions.lastSeen(slot) - clock.now() + time.nowMs,
        token: tokenUntil === 0 ? undefined : tokenFromWords(words),
        tokenUntilMs: tokenUntil - clock.now() + time.nowMs,
        hasRedeemed: sessions.hasRedeemed(slot),
        datagramsIn: datagramsToTarget,
        bytesIn: bytesToTarget,
        bytesOut: bytesToClient,
        ports
      })
    }
    return restored
  }

  /** Closes upstream sockets that nobody uses. */
  * sweep (): Slices<undefined> {
    const { flows, upstreamPorts } = this.#options.core.state
    for (const [family, ports] of this.#ports.entries()) {
      for (const [socket, port] of ports) {
        yield
        if (flows.usesOfSocket(socket) > 0) continue
        this.#options.closePort(port)
        ports.delete(socket)
        upstreamPorts.set(socket, family === 0, 0)
      }
    }
    return undefined
  }

  /** Checks the books of both directions, if anything was done since the last time. */
  balance (): void {
    if (!this.#isTouched) return
    this.#isTouched = false
    const { core: { state: { counters } }, surroundings: { watch } } = this.#options
    for (const direction of [Direction.toTarget, Direction.toClient]) {
      const first = columnOf(counters.dataPorts, direction, 0)
      const received = sumOf(counters.received, first, counters.dataPorts + 1)
      const proxied = sumOf(counters.proxied, first, counters.dataPorts + 1)
      const dropped = sumOf(counters.dropped, direction * REASONS, REASONS)
      const consumed = direction === Direction.toTarget ? sumOf(counters.consumed, 0, counters.consumed.length) : 0
      watch.hold('datagramsBalance', `received ${directionNames[direction]}`, received, this.#received[direction]!)
      watch.hold('datagramsBalance', `in flight ${directionNames[direction]}`, received - proxied - dropped - consumed, this.#heldOf(direction))
    }
  }

  /** Checks what the product says of itself. */
  balanceOfCounters (): void {
    const { core: { state: { counters } }, surroundings: { watch } } = this.#options
    for (const direction of [Direction.toTarget, Direction.toClient]) watch.hold('datagramsBalance', `inFlight ${directionNames[direction]}`, counters.inFlight(direction), this.#heldOf(direction))
  }

  #heldOf (direction: Direction): number {
    return this.#held[direction]! + (direction === Direction.toTarget ? this.#options.held.size : 0)
  }

  #portOf (socket: number, isIPv4: boolean): number {
    const ports = this.#ports[isIPv4 ? 0 : 1]
    let port = ports.get(socket)
    if (port === undefined) {
      const { upstreamPorts } = this.#options.core.state
      port = this.#options.openPort(this, socket, upstreamPorts.get(socket, isIPv4))
      ports.set(socket, port)
      upstreamPorts.set(socket, isIPv4, port)
    }
    return port
  }

  // What the kernel takes at once, after a while, or not at all.
  #send (direction: Direction, dataPort: number, bytes: number, leave: () => void): void {
    const { core: { state: { counters } }, surroundings: { random, time, profile, network, plant }, isAlive, beforeSend } = this.#options
    beforeSend()
    if (this.#held[direction]! >= QUEUED_AT_MOST) {
      counters.countDropped(direction, DropReason.sendQueueFull)
      return
    }
    const isRefused = profile.failedSends > 0 && random.chance(profile.failedSends)
    const done = (): void => {
      if (!isAlive()) return
      this.#held[direction]!--
      this.#isTouched = true
      if (isRefused) {
        if (plant !== 'dropNotCounted') counters.countDropped(direction, DropReason.sendFailed)
        return
      }
      if (plant !== 'proxiedNotCounted' || !random.chance(0.01)) counters.countProxied(direction, dataPort, bytes)
      network.send(leave)
    }
    this.#held[direction]!++
    if (random.chance(0.8)) done()
    else time.plan(random.between(0, SEND_MS), done, false)
  }

  #evict (): void {
    const { core: { state, operations }, clock } = this.#options
    const slot = firstLive(state.sessions)
    if (state.sessions.hasRedeemed(slot)) operations.endSession(slot, clock.now())
  }

  #forgetToken ({ key }: Address): void {
    const { sessions } = this.#options.core.state
    const slot = sessions.find(key)
    if (slot >= 0) sessions.setToken(slot, new Uint32Array(4), 0)
  }
}

function sumOf (values: Float64Array, start: number, length: number): number {
  let sum = 0
  for (let at = start; at < start + length; at++) sum += values[at]!
  return sum
}

function firstLive (sessions: Core['state']['sessions']): number {
  let slot = 0
  while (!sessions.isLive(slot)) slot++
  return slot
}

function getOrSet (map: Map<number, number>, key: number, value: number): number {
  const known = map.get(key)
  if (known !== undefined) return known
  map.set(key, value)
  return value
}
