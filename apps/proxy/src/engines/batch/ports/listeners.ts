// The data ports' sockets. With several workers each has one of its own on every port, and the kernel chooses among them
// by the client's address (client-affinity.ts).
import { networkInterfaces } from 'node:os'
import { ANY_ADDRESS, ANY_IPV4, isUnspecified } from '#config/bind-addresses.js'
import type { Interfaces } from '#config/own-listeners.js'
import { addressWords } from '#wire/address.js'
import { BindError, noIPv6, PORT_ATTEMPTS, type BoundSocket, type DataPortSpec } from '../../engine.js'
import { attachAffinity } from './client-affinity.js'
import { openGate, shutGate } from './gate.js'
import { AF_INET, AF_INET6, type Libc } from '../system/libc.js'
import { markRule, type Dscp } from './mark-rule.js'
import { shortcuts } from './shortcuts.js'
import type { Family } from '../system/socket-address.js'
import { SystemError, type UdpSockets } from '../system/udp-socket.js'

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
  /** Each has a socket of its own on every data port and address. */
  readonly workers: number
  /** What this host has: `networkInterfaces()` of node:os, unless told otherwise. */
  readonly interfaces?: Interfaces
}

// Addresses that get sockets of their own though they are not configured: see shortcuts.ts.
type Plan = ListenerOptions & { readonly ownAddresses: readonly string[] }

/**
 * Binds every data port at each address once for each worker: `[worker]`, and there by data port and address, configured ones
 * first; once in all if the kernel cannot keep clients with their worker. `::` serves IPv4 too, and falls back to `0.0.0.0` where there is no IPv6. Throws
 * BindError, with nothing left open.
 */
export function openListeners (options: ListenerOptions): Listener[][] {
  const ownAddresses = shortcuts({ ...options, interfaces: options.interfaces ?? networkInterfaces() })
  try {
    return openPlan({ ...options, ownAddresses })
  } catch (error) {
    // One that went in this moment, or is not ready yet: the socket for all addresses does what it would have done.
    if (ownAddresses.length === 0) throw error
    return openPlan({ ...options, ownAddresses: [] })
  }
}

function openPlan (options: Plan): Listener[][] {
  const byWorker: Listener[][] = Array.from({ length: options.workers }, () => [])
  try {
    for (const dataPort of options.dataPorts.keys()) {
      for (const [worker, listeners] of openDataPort(dataPort, options).entries()) byWorker[worker]!.push(...listeners)
    }
  } catch (error) {
    closeAll(byWorker, options)
    throw error
  }
  if (options.workers === 1) {
    if (options.ownAddresses.length > 0) for (const { fd } of byWorker.flat()) options.sockets.sharePort(fd, false)
    return byWorker
  }
  if (byWorker[0]!.every(({ fd }) => attachAffinity(options.libc, fd, options.workers) === 0)) {
    for (const { fd } of byWorker.flat()) openGate(options.libc, fd)
    return byWorker
  }
  closeAll(byWorker, options)
  return openPlan({ ...options, workers: 1 })
}

// If the system chooses the port, it is one that is free at all addresses.
function openDataPort (dataPort: number, options: Plan, attempts = PORT_ATTEMPTS): Listener[][] {
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
    for (const address of options.ownAddresses) {
      for (const listeners of byWorker) listeners.push({ ...openListener({ ...spec, port }, dataPort, address, options, false), isImplied: true })
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
function openListener (spec: DataPortSpec, dataPort: number, address: string, options: Plan, isFirst: boolean): Listener {
  const { sockets, receiveBufferBytes } = options
  const isShared = options.workers > 1 || options.ownAddresses.length > 0
  const family = address.includes(':') ? AF_INET6 : AF_INET
  const words = addressWords(address) ?? new Uint32Array(4)
  let fd: number | undefined
  try {
    fd = sockets.open(family)
    if (isUnspecified(address)) sockets.askLocalAddress(fd, family)
    sockets.askMarks(fd, family, markRule(options.dscp ?? 0).usual)
    // A kernel that refuses loses nothing by it but that moment.
    if (options.workers > 1) shutGate(options.libc, fd)
    if (isShared && !isFirst) sockets.sharePort(fd)
    sockets.bind(fd, family, words, spec.port)
    if (isShared && isFirst) sockets.sharePort(fd)
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
