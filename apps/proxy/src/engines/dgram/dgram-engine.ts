// The engine on Node's own sockets: one system call per datagram each way. Runs anywhere Node runs.
//
// Not its business: choosing a target, counting verdicts, time-outs. It translates addresses, sends what the core says,
// and tells the counters what became of it.
import type { Socket } from 'node:dgram'
import type { Slices } from '#core/slices.js'
import { formatAddress, isIPv4Words, writeAddress, ADDRESS_WORDS } from '#wire/address.js'
import { Direction } from '../../core/ledger/counters.js'
import { DropReason } from '../../core/ledger/drop-reason.js'
import { FORWARD } from '../../core/datagrams/packet-path.js'
import { dataPortsOf, type BoundDataPort, type BoundSocket, type Engine, type EngineOptions } from '../engine.js'
import { ReplyRoutes } from '../reply-routes.js'
import { askReceiveBuffer, bindDataPort, type Descriptors, type OpenSocket } from './socket.js'
import { UpstreamPool } from './upstream-pool.js'

type Sent = (error: Error | null, bytes: number) => void

export interface DgramEngineOptions extends EngineOptions {
  /** Makes descriptors, where the system's calls are at hand. */
  readonly descriptors?: Descriptors
}

interface Listener {
  readonly dataPort: number
  readonly socket: Socket
  /** Counts what became of a datagram sent from a client on this data port, and to one. */
  readonly sentToTarget: Sent
  readonly sentToClient: Sent
}

/** Binds every data port and starts forwarding. Throws BindError, with nothing left open. */
export async function openDgramEngine (options: DgramEngineOptions): Promise<Engine> {
  const engine = new DgramEngine(options)
  try {
    for (const [index, spec] of options.dataPorts.entries()) {
      engine.addDataPort(index, bindDataPort(spec, options.bindAddresses, options.descriptors))
    }
    options.core.state.ownSources.setDataPorts(engine.dataPorts.map(({ port }) => port))
  } catch (error) {
    await engine.close()
    throw error
  }
  return engine
}

class DgramEngine implements Engine {
  readonly name = 'dgram'
  readonly #options: EngineOptions
  readonly #bound: BoundSocket[] = []
  // By data port, and within one by address.
  readonly #listeners: Listener[] = []
  #routes: ReplyRoutes | undefined
  readonly #upstream: UpstreamPool
  readonly #source = new Uint32Array(ADDRESS_WORDS)
  // The client's address as text, by session slot, and the serial of the session it was written for.
  readonly #clientText: string[] = []
  readonly #clientSerial: number[] = []

  constructor (options: DgramEngineOptions) {
    this.#options = options
    this.#upstream = new UpstreamPool({
      onMessage: this.#onReply.bind(this),
      onError: options.onSocketError,
      receiveBufferBytes: options.receiveBufferBytes,
      ports: options.core.state.upstreamPorts,
      descriptors: options.descriptors
    })
    this.#upstream.reopen()
  }

  /** @param sockets as many as every other data port has, bound to the same addresses in the same order */
  addDataPort (dataPort: number, sockets: readonly OpenSocket[]): void {
    const routes = this.#routes ??= new ReplyRoutes(sockets.map(({ socket }) => socket.address().address), this.#options.core.state.locals)
    for (const [place, { socket }] of sockets.entries()) this.#addListener(dataPort, socket, routes.localOf(place))
  }

  /** In the order of the configuration: the core's data port numbers. */
  get dataPorts (): readonly BoundDataPort[] { return dataPortsOf(this.#bound) }

  upstreamSockets (): number {
    return this.#upstream.size
  }

  // The system's count is not to be had without its calls.
  receiveDrops (): readonly number[] {
    return []
  }

  sweep (): Slices<undefined> {
    const { flows } = this.#options.core.state
    return this.#upstream.closeUnused(socketNumber => flows.usesOfSocket(socketNumber))
  }

  async close (): Promise<void> {
    this.#upstream.close()
    await Promise.all(this.#listeners.map(async ({ socket }) => {
      await new Promise<void>(resolve => { socket.close(resolve) })
    }))
    this.#listeners.length = 0
  }

  #addListener (dataPort: number, socket: Socket, local: number): void {
    const { address, port } = socket.address()
    const receiveBufferBytes = askReceiveBuffer(socket, this.#options.receiveBufferBytes)
    this.#bound.push({ dataPort, name: this.#options.dataPorts[dataPort]!.name, address, port, receiveBufferBytes })
    const listener = { dataPort, socket, sentToTarget: this.#counting(Direction.toTarget, dataPort), sentToClient: this.#counting(Direction.toClient, dataPort) }
    this.#listeners.push(listener)
    socket.on('error', this.#options.onSocketError)
    socket.on('message', (message, source) => { this.#onDatagram(listener, local, message, source.address, source.port) })
  }

  /** @param local number of the address that the listener is bound to */
  #onDatagram ({ dataPort, sentToTarget }: Listener, local: number, message: Uint8Array, address: string, port: number): void {
    const { core, clock } = this.#options
    // An address with a zone does not parse; port 0 tells the core that nobody can be answered there.
    const sourcePort = writeAddress(address, this.#source) ? port : 0
    if (core.packets.fromClient(dataPort, this.#source, sourcePort, message, false, clock.now(), 0, message.length, local) !== FORWARD) return
    this.#toTarget(core.packets.flow, message, sentToTarget)
  }

  // No IP mark: this engine cannot read any.
  sendHeld (flow: number, dataPort: number, bytes: Uint8Array): void {
    const { sentToTarget } = this.#listeners[dataPort * this.#routes!.width]!
    // Node may send it later.
    this.#toTarget(flow, bytes.slice(), sentToTarget)
  }

  flushHeld (): void {
    // Everything is with Node already.
  }

  #toTarget (flow: number, message: Uint8Array, sent: Sent): void {
    const { flows } = this.#options.core.state
    const endpoint = flows.endpoint(flow)
    const socket = this.#upstream.get(flows.socket(flow), endpoint.isIPv4)
    this.#send(socket, message, endpoint.port, endpoint.address, Direction.toTarget, sent)
  }

  #onReply (socketNumber: number, message: Uint8Array, address: string, port: number): void {
    const { core, clock } = this.#options
    const sourcePort = writeAddress(address, this.#source) ? port : 0
    if (core.packets.fromTarget(socketNumber, this.#source, sourcePort, message.length, false, clock.now()) !== FORWARD) return
    const { flow, session } = core.packets
    const { socket, sentToClient } = this.#listenerFor(flow, session)
    const { sessions } = core.state
    this.#send(socket, message, sessions.clientPort(session), this.#clientAddress(session), Direction.toClient, sentToClient)
  }

  #send (socket: Socket | undefined, message: Uint8Array, port: number, address: string, direction: Direction, sent: Sent): void {
    const { counters } = this.#options.core.state
    this.#options.beforeSend?.()
    if (socket === undefined) counters.countDropped(direction, DropReason.sendFailed)
    else if (socket.getSendQueueSize() > this.#options.sendQueueBytes) counters.countDropped(direction, DropReason.sendQueueFull)
    else socket.send(message, 0, message.length, port, address, sent)
  }

  #counting (direction: Direction, dataPort: number): Sent {
    const { counters } = this.#options.core.state
    return (error, bytes) => {
      if (error === null) counters.countProxied(direction, dataPort, bytes)
      else counters.countDropped(direction, (error as NodeJS.ErrnoException).code === 'EMSGSIZE' ? DropReason.oversize : DropReason.sendFailed)
    }
  }

  #listenerFor (flow: number, session: number): Listener {
    const { flows, sessions } = this.#options.core.state
    const routes = this.#routes!
    sessions.readClientWords(session, this.#source)
    return this.#listeners[flows.dataPort(flow) * routes.width + routes.place(flows.local(flow), isIPv4Words(this.#source))]!
  }

  // Formatting an address allocates, so each session's is kept.
  #clientAddress (session: number): string {
    const { sessions } = this.#options.core.state
    const serial = sessions.serial(session)
    if (this.#clientSerial[session] !== serial) {
      this.#clientText[session] = formatAddress(sessions.clientWords(session))
      this.#clientSerial[session] = serial
    }
    return this.#clientText[session]!
  }
}
