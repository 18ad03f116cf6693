// What an engine is: it owns every socket, feeds the core, and does what its verdicts say. Nothing else knows sockets.
import { ANY_ADDRESS } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import type { Core } from '../core/core.js'
import { SliceWork, type SliceSize } from '../core/tables/slice-size.js'

export interface DataPortSpec {
  readonly name: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface BoundDataPort {
  readonly name: string
  /** Where it is bound; several addresses have commas between them. */
  readonly address: string
  readonly port: number
  /** What the system granted of `receiveBufferBytes`, in bytes. */
  readonly receiveBufferBytes: number
}

/** What an engine is told by the shard that it works for. */
export interface EngineWiring {
  readonly core: Core
  readonly clock: Clock
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** What becomes of the mark in the IP headers, for engines that can write it. Default: 0. */
  readonly dscp?: Config['dscp']
  /** An error of a socket that belongs to no single datagram. */
  readonly onSocketError: (error: Error) => void
  /** Called before a datagram leaves: what it depends on is written now. */
  readonly beforeSend?: () => void
}

export interface EngineOptions extends EngineWiring {
  /** Each has a socket of its own on every data port. */
  readonly bindAddresses: readonly string[]
  readonly dataPorts: readonly DataPortSpec[]
}

// To close a socket takes some 10 µs, and on Node's own several times as long.
const socketSlice: SliceSize = { looks: 20_000, changes: 32 }

/** Looks at the sockets below `count` and closes those that are open and that nobody uses, few at a time. */
export function * closeInSlices (count: () => number, isUnused: (index: number) => boolean, close: (index: number) => void): Slices<undefined> {
  const work = new SliceWork(socketSlice)
  for (let index = 0; index < count(); index++) {
    work.look()
    if (isUnused(index)) {
      close(index)
      work.change()
    }
    if (work.isOver()) yield
  }
  return undefined
}

export type EngineName = 'batch' | 'dgram'

export interface Engine {
  readonly name: EngineName
  /** In the order of the configuration: the core's data port numbers. */
  readonly dataPorts: readonly BoundDataPort[]
  /** Sockets open towards targets. */
  upstreamSockets (): number
  /** Datagrams that the system dropped before anybody could read them, by data port; empty if it does not say. */
  receiveDrops (): readonly number[]
  /**
   * Sends a client's datagram that was held until now; `bytes` is not read after this returns. It may leave with `flushHeld` only,
   * in the order of the calls, and before whatever arrives later.
   * @param flow of the core, as a verdict names it
   * @param mark of the IP header that it came with, as the engine noted it; 0 where it notes none
   */
  sendHeld (flow: number, dataPort: number, bytes: Uint8Array, mark: number): void
  /** Everything given to `sendHeld` leaves now. */
  flushHeld (): void
  /** Closes upstream sockets nobody uses; called after the core's sweep. */
  sweep (): Slices<undefined>
  close (): void | Promise<void>
}

/** One socket of a data port. */
export interface BoundSocket extends BoundDataPort {
  /** The core's number of the data port. */
  readonly dataPort: number
  /** Whether another socket of the data port stands for its address, too. */
  readonly isImplied?: boolean
}

/** The data ports that these sockets make up, in the order of their numbers. */
export function dataPortsOf (sockets: readonly BoundSocket[]): BoundDataPort[] {
  const ports: BoundDataPort[] = []
  for (const { dataPort, name, address, port, receiveBufferBytes, isImplied } of sockets) {
    const { [dataPort]: known } = ports
    const isSaid = isImplied === true || known?.address === ANY_ADDRESS
    ports[dataPort] = known === undefined
      ? { name, address, port, receiveBufferBytes }
      : { ...known, address: isSaid ? known.address : `${known.address}, ${address}`, receiveBufferBytes: Math.min(known.receiveBufferBytes, receiveBufferBytes) }
  }
  return ports
}

/** How many ports are tried where the system chooses one, which has to be free at several addresses. */
export const PORT_ATTEMPTS = 16

/** What a system without IPv6, or with IPv6 switched off, says to an attempt. */
export const noIPv6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL', 'EPROTONOSUPPORT'])

/** A data port that cannot be bound. `code` is the system's: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
export class BindError extends Error {
  readonly code: string
  readonly dataPort: DataPortSpec

  constructor (dataPort: DataPortSpec, address: string, cause: Error & { readonly code?: string | undefined }) {
    super(`data port "${dataPort.name}": cannot bind UDP ${address} port ${dataPort.port} (${cause.code ?? cause.message})`, { cause })
    this.code = cause.code ?? 'UNKNOWN'
    this.dataPort = dataPort
  }
}
