// The data ports' sockets. With several workers each has one of its own on every port, and the kernel chooses among them
// by the client's address (client-affinity.ts).
import { ANY_ADDRESS, ANY_IPV4, isUnspecified } from '#config/bind-addresses.js'
import { addressWords } from '#wire/address.js'
import { BindError, noIPv6, PORT_ATTEMPTS, type BoundSocket, type DataPortSpec } from '../engine.js'
import { attachAffinity } from './client-affinity.js'
import { openGate, shutGate } from './gate.js'
import { AF_INET, AF_INET6, type Libc } from './libc.js'
import { markRule, type Dscp } from './mark-rule.js'
import type { Family } from './socket-address.js'
import { SystemError, type UdpSockets } from './udp-socket.js'

export interface Listener extends BoundSocket {
  readonly fd: number
  readonly family: Family
}

export interface ListenerOptions {
  readonly libc: Libc
  readonly sockets: UdpSockets
  /** Each has a socket of its own on every data port. */
  readonly bindAddresses: readonly string[]
  readonly dataPorts: readonly DataPortSpec[]
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** Default: 0. */
  readonly dscp?: Dscp
  /** Sockets for each data port. */
  readonly workers: number
}

/**
 * Binds every data port at each address once for each worker: `[worker]`, and there by data port and address; once in all
 * if the kernel cannot keep clients with their worker. `::` serves IPv4 too, and falls back to `0.0.0.0` where there is no IPv6. Throws BindError, with nothing
 * left open.
 */
export function openListeners (options: ListenerOptions): Listener[][] {
  const byWorker: Listener[][] = Array.from({ length: options.workers }, () => [])
  try {
    for (const dataPort of options.dataPorts.keys()) {
      for (const [worker, listeners] of openDataPort(dataPort, options).entries()) byWorker[worker]!.push(...listeners)
    }
  } catch (error) {
    closeAll(byWorker, options)
    throw error
  }
  if (options.workers === 1) return byWorker
  if (byWorker[0]!.every(({ fd }) => attachAffinity(options.libc, fd, options.workers) === 0)) {
    for (const { fd } of byWorker.flat()) openGate(options.libc, fd)
    return byWorker
  }
  closeAll(byWorker, options)
  return openListeners({ ...options, workers: 1 })
}

// If the system chooses the port, it is one that is free at all addresses.
function openDataPort (dataPort: number, options: ListenerOptions, attempts = PORT_ATTEMPTS): Listener[][] {
  const spec = options.dataPorts[dataPort]!
  const byWorker: Listener[][] = Array.from({ length: options.workers }, () => [])
  try {
    let { port } = spec
    for (const address of options.bindAddresses) {
      // The first one has the port to itself, and may choose it; the others follow.
      for (const [worker, listeners] of byWorker.entries()) {
        const listener = openListener({ ...spec, port }, dataPort, address, options, worker === 0)
        listeners.push(listener)
        port = listener.port
      }
    }
    return byWorker
  } catch (error) {
    closeAll(byWorker, options)
    const isTaken = error instanceof BindError && error.code === 'EADDRINUSE'
    if (spec.port !== 0 || byWorker[0]!.length === 0 || !isTaken || attempts === 1) throw error
    return openDataPort(dataPort, options, attempts - 1)
  }
}

function closeAll (byWorker: readonly Listener[][], { sockets }: ListenerOptions): void {
  for (const { fd } of byWorker.flat()) sockets.close(fd)
}

// The first socket of a port is bound as one that shares with nobody, and may be joined only then. One that was ready to
// share at once would be let into the port of any other director of this user; this one is refused wherever there is
// somebody, and of two directors that start at the same moment one is.
function openListener (spec: DataPortSpec, dataPort: number, address: string, options: ListenerOptions, isFirst: boolean): Listener {
  const { sockets, receiveBufferBytes } = options
  const family = address.includes(':') ? AF_INET6 : AF_INET
  const words = addressWords(address) ?? new Uint32Array(4)
  let fd: number | undefined
  try {
    fd = sockets.open(family)
    if (isUnspecified(address)) sockets.askLocalAddress(fd, family)
    sockets.askMarks(fd, family, markRule(options.dscp ?? 0).usual)
    if (options.workers > 1) {
      // A kernel that refuses loses nothing by it but that moment.
      shutGate(options.libc, fd)
      if (!isFirst) sockets.sharePort(fd)
    }
    sockets.bind(fd, family, words, spec.port)
    if (options.workers > 1 && isFirst) sockets.sharePort(fd)
    sockets.askSendBuffer(fd, options.sendQueueBytes)
    const granted = sockets.askReceiveBuffer(fd, receiveBufferBytes)
    return { dataPort, name: spec.name, address, port: sockets.port(fd), receiveBufferBytes: granted, fd, family }
  } catch (error) {
    if (fd !== undefined) sockets.close(fd)
    if (!(error instanceof SystemError)) throw error
    if (address === ANY_ADDRESS && noIPv6.has(error.code)) return openListener(spec, dataPort, ANY_IPV4, options, isFirst)
    throw new BindError(spec, address, error)
  }
}
