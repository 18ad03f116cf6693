// The data ports' sockets. With several workers each has one of its own on every port, and the kernel chooses among them
// by the client's address (client-affinity.ts).
import { addressWords } from '#wire/address.js'
import { BindError, noIPv6, type BoundDataPort, type DataPortSpec } from '../engine.js'
import { attachAffinity } from './client-affinity.js'
import { openGate, shutGate } from './gate.js'
import { AF_INET, AF_INET6, type Libc } from './libc.js'
import { markRule, type Dscp } from './mark-rule.js'
import type { Family } from './socket-address.js'
import { SystemError, type UdpSockets } from './udp-socket.js'

export interface Listener extends BoundDataPort {
  readonly fd: number
  readonly family: Family
}

export interface ListenerOptions {
  readonly libc: Libc
  readonly sockets: UdpSockets
  readonly bindAddress: string
  readonly dataPorts: readonly DataPortSpec[]
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** Default: 0. */
  readonly dscp?: Dscp
  /** Sockets for each data port. */
  readonly workers: number
}

/**
 * Binds every data port once for each worker: `[worker][data port]`; once in all if the kernel cannot keep clients with
 * their worker. `::` serves IPv4 too, and falls back to `0.0.0.0` where there is no IPv6. Throws BindError, with nothing
 * left open.
 */
export function openListeners (options: ListenerOptions): Listener[][] {
  const byWorker: Listener[][] = Array.from({ length: options.workers }, () => [])
  try {
    for (const spec of options.dataPorts) {
      // The first one has the port to itself, and may choose it; the others follow.
      let { port } = spec
      for (const [worker, listeners] of byWorker.entries()) {
        const listener = openListener({ ...spec, port }, options, worker === 0)
        listeners.push(listener)
        port = listener.port
      }
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

function closeAll (byWorker: readonly Listener[][], { sockets }: ListenerOptions): void {
  for (const { fd } of byWorker.flat()) sockets.close(fd)
}

// The first socket of a port is bound as one that shares with nobody, and may be joined only then. One that was ready to
// share at once would be let into the port of any other director of this user; this one is refused wherever there is
// somebody, and of two directors that start at the same moment one is.
function openListener (spec: DataPortSpec, options: ListenerOptions, isFirst: boolean): Listener {
  const { sockets, bindAddress, receiveBufferBytes } = options
  const family = bindAddress.includes(':') ? AF_INET6 : AF_INET
  let fd: number | undefined
  try {
    fd = sockets.open(family)
    sockets.askMarks(fd, family, markRule(options.dscp ?? 0).usual)
    if (options.workers > 1) {
      // A kernel that refuses loses nothing by it but that moment.
      shutGate(options.libc, fd)
      if (!isFirst) sockets.sharePort(fd)
    }
    sockets.bind(fd, family, addressWords(bindAddress) ?? new Uint32Array(4), spec.port)
    if (options.workers > 1 && isFirst) sockets.sharePort(fd)
    sockets.askSendBuffer(fd, options.sendQueueBytes)
    const granted = sockets.askReceiveBuffer(fd, receiveBufferBytes)
    return { name: spec.name, address: bindAddress, port: sockets.port(fd), receiveBufferBytes: granted, fd, family }
  } catch (error) {
    if (fd !== undefined) sockets.close(fd)
    if (!(error instanceof SystemError)) throw error
    if (bindAddress === '::' && noIPv6.has(error.code)) return openListener(spec, { ...options, bindAddress: '0.0.0.0' }, isFirst)
    throw new BindError(spec, bindAddress, error)
  }
}
