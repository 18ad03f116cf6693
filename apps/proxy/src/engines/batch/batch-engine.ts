// The engine of Linux: a system call carries up to 64 datagrams each way (recvmmsg, sendmmsg), and epoll tells which
// sockets have any. It runs in a thread that does nothing else, because waiting blocks it.
//
//   clients ──▶ data port ─┐                                      ┌─▶ upstream socket ──▶ targets
//                          ├─▶ ring slot ─▶ core ─▶ send queue ───┤
//   targets ──▶ upstream ──┘   received     verdict  by socket     └─▶ data port ──▶ clients
//               socket         in place              sent from the same slot
//
// One turn: wait; receive from each socket that has something until the ring is full or all are looked at; send what
// the core lets pass; start over with an empty ring. A datagram is never copied and nothing is allocated for it,
// but for one that is held: that one comes back by `sendHeld`, between two turns, when the ring is empty.
//
// Not its business, as for every engine: choosing a target, counting verdicts, time-outs.
import type { Slices } from '#core/slices.js'
import { ADDRESS_WORDS, isIPv4Words } from '#wire/address.js'
import { Direction } from '../../core/ledger/counters.js'
import { DropReason } from '../../core/ledger/drop-reason.js'
import { NO_LOCAL } from '../../core/datagrams/local-addresses.js'
import { FORWARD, HELD } from '../../core/datagrams/packet-path.js'
import { dataPortsOf, type BoundDataPort, type Engine, type EngineWiring } from '../engine.js'
import { ReplyRoutes } from '../reply-routes.js'
import { ArrivalAddresses } from './arrival-addresses.js'
import { Epoll, WOKEN } from './system/epoll.js'
import type { Libc } from './system/libc.js'
import type { Listener } from './ports/listeners.js'
import { markRule, type MarkRule } from './ports/mark-rule.js'
import { ReceiveRing } from './receive-ring.js'
import { SendQueue, type Fate, type Outlet } from './send-queue.js'
import { UdpSockets } from './system/udp-socket.js'
import { UpstreamSockets } from './upstream-sockets.js'

export interface BatchEngineOptions extends EngineWiring {
  readonly libc: Libc
  /** By data port, and within one by address; closed with the engine. */
  readonly listeners: readonly Listener[]
}

/** Most datagrams taken from one socket before the others have their turn. */
const BATCH = 64

/** Slots of the ring: two full batches, or what many sockets with a datagram or two each have between them. */
const RING_SLOTS = 128

// What the send queue carries along with a datagram: direction × 256 + data port.
const DIRECTION_SHIFT = 8

const dropReasonOf: Readonly<Record<Exclude<Fate, 'sent'>, DropReason>> = {
  queue_full: DropReason.sendQueueFull,
  too_long: DropReason.oversize,
  failed: DropReason.sendFailed
}

export class BatchEngine implements Engine {
  readonly name = 'batch'
  readonly dataPorts: readonly BoundDataPort[]
  readonly #options: BatchEngineOptions
  readonly #sockets: UdpSockets
  readonly #epoll: Epoll
  readonly #ring: ReceiveRing
  readonly #queue: SendQueue
  readonly #upstream: UpstreamSockets
  // One for each listener, in the same order.
  readonly #outlets: readonly Outlet[]
  readonly #routes: ReplyRoutes
  readonly #arrivals: ArrivalAddresses
  readonly #marks: MarkRule
  readonly #address = new Uint32Array(ADDRESS_WORDS)

  /** Throws SystemError if the system has no more descriptors. */
  constructor (options: BatchEngineOptions) {
    const { libc, listeners, receiveBufferBytes, sendQueueBytes, onSocketError } = options
    this.#options = options
    this.dataPorts = dataPortsOf(listeners)
    options.core.state.ownSources.setDataPorts(this.dataPorts.map(({ port }) => port))
    const { locals } = options.core.state
    this.#routes = new ReplyRoutes(listeners.filter(({ dataPort }) => dataPort === 0).map(({ address }) => address), locals)
    this.#arrivals = new ArrivalAddresses(locals, words => this.#sockets.isUnicast(words))
    this.#marks = markRule(options.dscp ?? 0)
    this.#sockets = new UdpSockets(libc)
    this.#epoll = new Epoll(libc)
    this.#ring = new ReceiveRing(libc, RING_SLOTS)
    this.#queue = new SendQueue(libc, this.#ring, locals, (fate, tag, bytes) => { this.#count(fate, tag, bytes) }, this.#marks.usual)
    this.#upstream = new UpstreamSockets({
      sockets: this.#sockets,
      epoll: this.#epoll,
      receiveBufferBytes,
      sendQueueBytes,
      firstId: listeners.length,
      ports: options.core.state.upstreamPorts,
      usualMark: this.#marks.usual,
      onError: onSocketError
    })
    this.#outlets = listeners.map(({ fd, family }, id) => ({ id, fd, family }))
    for (const { fd, id } of this.#outlets) this.#epoll.add(fd, id)
    this.#upstream.reopen()
  }

  /** The eventfd that ends a wait of `turn`. */
  get wakeFd (): number { return this.#epoll.wakeFd }

  /**
   * Waits up to `timeoutMs` for datagrams (-1: for ever) and forwards what has come. Returns whether somebody wrote to
   * `wakeFd` since the last time.
   */
  turn (timeoutMs: number): boolean {
    const events = this.#epoll.wait(timeoutMs)
    const now = this.#options.clock.now()
    let isWoken = false
    for (let event = 0; event < events; event++) {
      const id = this.#epoll.id(event)
      if (id === WOKEN) {
        isWoken = true
        this.#epoll.clearWakeUps()
      } else if (id < this.#outlets.length) this.#receiveFromClients(this.#outlets[id]!, now)
      else this.#receiveFromTargets(id, now)
      if (this.#ring.used === this.#ring.capacity) this.#flush()
    }
    this.#flush()
    return isWoken
  }

  sendHeld (flow: number, dataPort: number, bytes: Uint8Array, mark: number): void {
    if (this.#ring.used === this.#ring.capacity) this.#flush()
    this.#toTarget(this.#ring.put(bytes), flow, dataPort, mark)
  }

  flushHeld (): void {
    this.#flush()
  }

  upstreamSockets (): number {
    return this.#upstream.size
  }

  /** Datagrams that the kernel dropped because a data port's receive buffer was full, by data port. */
  receiveDrops (): number[] {
    const drops = new Array<number>(this.dataPorts.length).fill(0)
    for (const { id, fd } of this.#outlets) drops[Math.floor(id / this.#routes.width)]! += this.#sockets.receiveDrops(fd)
    return drops
  }

  /** Closes upstream sockets nobody uses. */
  sweep (): Slices<undefined> {
    this.#arrivals.forget()
    const { flows } = this.#options.core.state
    return this.#upstream.closeUnused(socketNumber => flows.usesOfSocket(socketNumber))
  }

  close (): void {
    this.#upstream.close()
    for (const { fd } of this.#outlets) this.#sockets.close(fd)
    this.#epoll.close()
  }

  #receiveFromClients (outlet: Outlet, now: number): void {
    const first = this.#ring.used
    const received = this.#ring.receive(outlet.fd, BATCH)
    for (let slot = first; slot < first + received; slot++) this.#fromClient(slot, outlet.id, now)
  }

  #fromClient (slot: number, listener: number, now: number): void {
    const { packets, asks } = this.#options.core
    const { width } = this.#routes
    const dataPort = width === 1 ? listener : Math.floor(listener / width)
    const told = this.#ring.told(slot)
    const { mark } = told
    const local = told.hasLocal ? this.#arrivals.of(told) : this.#routes.localOf(width === 1 ? 0 : listener % width)
    const port = this.#ring.readSource(slot, this.#address)
    const start = this.#ring.start(slot)
    const verdict = packets.fromClient(dataPort, this.#address, port, this.#ring.data.bytes, this.#ring.isTruncated(slot), now, start, start + this.#ring.length(slot), local)
    if (verdict === FORWARD) this.#toTarget(slot, packets.flow, dataPort, mark)
    else if (verdict === HELD) asks.noteMark(mark)
  }

  #toTarget (slot: number, flow: number, dataPort: number, mark: number): void {
    const { flows, counters } = this.#options.core.state
    const endpoint = flows.endpoint(flow)
    const outlet = this.#upstream.get(flows.socket(flow), endpoint.isIPv4)
    if (outlet === undefined) counters.countDropped(Direction.toTarget, DropReason.sendFailed)
    else this.#queue.add(slot, outlet, endpoint.words, endpoint.port, this.#markFor(mark), NO_LOCAL, Direction.toTarget << DIRECTION_SHIFT | dataPort)
  }

  #receiveFromTargets (id: number, now: number): void {
    const outlet = this.#upstream.withId(id)
    if (outlet === undefined) return
    const first = this.#ring.used
    const received = this.#ring.receive(outlet.fd, BATCH)
    const socketNumber = this.#upstream.numberOf(id)
    for (let slot = first; slot < first + received; slot++) this.#fromTarget(slot, socketNumber, now)
  }

  #fromTarget (slot: number, socketNumber: number, now: number): void {
    const { packets, state } = this.#options.core
    const port = this.#ring.readSource(slot, this.#address)
    const verdict = packets.fromTarget(socketNumber, this.#address, port, this.#ring.length(slot), this.#ring.isTruncated(slot), now)
    if (verdict !== FORWARD) return
    const dataPort = state.flows.dataPort(packets.flow)
    state.sessions.readClientWords(packets.session, this.#address)
    const local = state.flows.local(packets.flow)
    const place = this.#routes.place(local, isIPv4Words(this.#address))
    const from = this.#routes.isEverywhere(place) ? local : NO_LOCAL
    this.#queue.add(slot, this.#outlets[dataPort * this.#routes.width + place]!, this.#address, state.sessions.clientPort(packets.session), this.#markFor(this.#ring.mark(slot)), from, Direction.toClient << DIRECTION_SHIFT | dataPort)
  }

  // Each datagram's own, whoever sent the others of the batch.
  #markFor (mark: number): number {
    return mark & this.#marks.carried | this.#marks.usual
  }

  #flush (): void {
    if (this.#ring.used === 0) return
    this.#options.beforeSend?.()
    this.#queue.flush()
    this.#ring.clear()
  }

  #count (fate: Fate, tag: number, bytes: number): void {
    const { counters } = this.#options.core.state
    const direction = (tag >>> DIRECTION_SHIFT) as Direction
    if (fate === 'sent') counters.countProxied(direction, tag & 0xff, bytes)
    else counters.countDropped(direction, dropReasonOf[fate])
  }
}
