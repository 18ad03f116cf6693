// Node's datagram sockets, bound the way the engine needs them.
//
// Node has no option for the path's MTU (decision 18). Where the system's calls are at hand the descriptor is made by them and
// handed to Node; elsewhere Node makes it, and the system's default holds.
import { createSocket, type Socket } from 'node:dgram'
import { ANY_ADDRESS, ANY_IPV4 } from '#config/bind-addresses.js'
import { addressWords } from '#wire/address.js'
import { AF_INET, AF_INET6 } from '../batch/system/libc.js'
import type { UdpSockets } from '../batch/system/udp-socket.js'
import { BindError, noIPv6, PORT_ATTEMPTS, type DataPortSpec } from '../engine.js'

export type Family = 'udp4' | 'udp6'

/** What makes descriptors; undefined where nothing but Node does. */
export type Descriptors = Pick<UdpSockets, 'open' | 'bind' | 'close' | 'keepPort'> | undefined

/** A socket that is bound, of one family alone. */
export interface OpenSocket {
  readonly socket: Socket
  readonly family: Family
}

// Every address here is an IP literal already. Node would ask its resolver for each datagram, one tick later.
const literalOnly = (address: string, family: unknown, done: (error: null, address: string, family: number) => void): void => {
  done(null, address, family === 6 ? 6 : 4)
}

function createLiteralSocket (type: Family): Socket {
  return createSocket({ type, lookup: literalOnly, ipv6Only: type === 'udp6' })
}

/**
 * Binds a data port at every one of these addresses, and returns its sockets; if the system chooses the port, it is one that
 * is free at all of them. `::` is two sockets, one for each family: Node cannot make one that serves both whatever
 * `net.ipv6.bindv6only` says. Where there is no IPv6 it is `0.0.0.0` alone. Throws BindError, with nothing left open.
 */
export function bindDataPort (spec: DataPortSpec, addresses: readonly string[], descriptors: Descriptors, attempts = PORT_ATTEMPTS): OpenSocket[] {
  const all: OpenSocket[] = []
  let { port } = spec
  for (const address of addresses.flatMap(given => given === ANY_ADDRESS ? [ANY_ADDRESS, ANY_IPV4] : [given])) {
    const family: Family = address.includes(':') ? 'udp6' : 'udp4'
    const socket = openSocket(family, address, port, descriptors)
    if (!(socket instanceof Error)) {
      all.push({ socket, family })
      port = socket.address().port
      continue
    }
    if (address === ANY_ADDRESS && noIPv6.has(codeOf(socket))) continue
    for (const { socket: open } of all) open.close()
    if (spec.port !== 0 || all.length === 0 || codeOf(socket) !== 'EADDRINUSE' || attempts === 1) throw new BindError({ ...spec, port }, address, socket)
    return bindDataPort(spec, addresses, descriptors, attempts - 1)
  }
  return all
}

/**
 * An unconnected socket on `port`, of the system's choice if that is 0, bound when this returns.
 * Returns the system's error instead if there is none to be had (EMFILE, ENOBUFS, EAFNOSUPPORT, …).
 */
export function openUpstreamSocket (family: Family, port: number, descriptors: Descriptors): Socket | Error {
  return openSocket(family, family === 'udp4' ? ANY_IPV4 : ANY_ADDRESS, port, descriptors)
}

function openSocket (family: Family, address: string, port: number, descriptors: Descriptors): Socket | Error {
  return descriptors === undefined ? openByNode(family, address, port) : openByDescriptor(family, address, port, descriptors)
}

function openByNode (family: Family, address: string, port: number): Socket | Error {
  const socket = createLiteralSocket(family)
  let failure: Error | undefined
  const onError = (error: Error): void => { failure = error }
  // With a resolver that answers at once, bind() emits its error before it returns.
  socket.once('error', onError)
  socket.bind({ port, address, exclusive: true })
  socket.off('error', onError)
  if (failure === undefined) return socket
  socket.close()
  return failure
}

function openByDescriptor (family: Family, address: string, port: number, descriptors: NonNullable<Descriptors>): Socket | Error {
  const kind = family === 'udp4' ? AF_INET : AF_INET6
  let fd: number | undefined
  try {
    fd = descriptors.open(kind, true)
    descriptors.bind(fd, kind, addressWords(address) ?? new Uint32Array(4), port)
    const socket = createLiteralSocket(family)
    socket.bind({ fd, exclusive: true })
    // Node allows others to share the address of a descriptor that it was given.
    descriptors.keepPort(fd)
    return socket
  } catch (error) {
    if (fd !== undefined) descriptors.close(fd)
    return error as Error
  }
}

function codeOf (error: NodeJS.ErrnoException): string {
  return error.code ?? ''
}

/** Asks for a receive buffer; returns what the system granted. Linux reports twice what a program can use (socket(7)). */
export function askReceiveBuffer (socket: Socket, bytes: number): number {
  try {
    socket.setRecvBufferSize(bytes)
  } catch {
    // Refused outright by some systems when above their maximum; what is in force is reported either way.
  }
  return socket.getRecvBufferSize()
}
