// What an engine is: it owns every socket, feeds the core, and does what its verdicts say. Nothing else knows sockets.
import type { Clock } from '#core/clock.js'
import type { Core } from '../core/core.js'

export interface DataPortSpec {
  readonly name: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface BoundDataPort {
  readonly name: string
  readonly address: string
  readonly port: number
  /** What the system granted of `receiveBufferBytes`, in bytes. */
  readonly receiveBufferBytes: number
}

export interface EngineOptions {
  readonly core: Core
  readonly clock: Clock
  readonly bindAddress: string
  readonly dataPorts: readonly DataPortSpec[]
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** An error of a socket that belongs to no single datagram. */
  readonly onSocketError: (error: Error) => void
  /** Called before a datagram leaves: what it depends on is written now. */
  readonly beforeSend?: () => void
}

export type EngineName = 'batch' | 'dgram'

export interface Engine {
  readonly name: EngineName
  /** In the order of the configuration: the core's data port numbers. */
  readonly dataPorts: readonly BoundDataPort[]
  /** Sockets open towards targets. */
  upstreamSockets (): number
  /** Closes upstream sockets nobody uses; called after the core's sweep. */
  sweep (): void
  close (): Promise<void>
}

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
