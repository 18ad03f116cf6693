// Node's datagram sockets, bound the way the engine needs them.
import { createSocket, type Socket } from 'node:dgram'
import { BindError, noIPv6, type DataPortSpec } from '../engine.js'

export type Family = 'udp4' | 'udp6'

// Every address here is an IP literal already. Node would ask its resolver for each datagram, one tick later.
const literalOnly = (address: string, family: unknown, done: (error: null, address: string, family: number) => void): void => {
  done(null, address, family === 6 ? 6 : 4)
}

function createLiteralSocket (type: Family): Socket {
  return createSocket({ type, lookup: literalOnly })
}

async function bind (socket: Socket, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

/** Binds a data port; `::` serves IPv4 too, and falls back to `0.0.0.0` where there is no IPv6. Throws BindError. */
export async function bindDataPort (spec: DataPortSpec, address: string): Promise<{ socket: Socket, family: Family }> {
  const family: Family = address.includes(':') ? 'udp6' : 'udp4'
  const socket = createLiteralSocket(family)
  try {
    await bind(socket, spec.port, address)
    return { socket, family }
  } catch (error) {
    socket.close()
    const cause = error as NodeJS.ErrnoException
    if (address === '::' && noIPv6.has(cause.code ?? '')) return await bindDataPort(spec, '0.0.0.0')
    throw new BindError(spec, address, cause)
  }
}

/**
 * An unconnected socket on `port`, of the system's choice if that is 0, bound when this returns.
 * Returns the system's error instead if there is none to be had (EMFILE, ENOBUFS, EAFNOSUPPORT, …).
 */
export function openUpstreamSocket (family: Family, port: number): Socket | Error {
  const socket = createLiteralSocket(family)
  let failure: Error | undefined
  const onError = (error: Error): void => { failure = error }
  // With a resolver that answers at once, bind() emits its error before it returns.
  socket.once('error', onError)
  socket.bind({ port, address: family === 'udp4' ? '0.0.0.0' : '::', exclusive: true })
  socket.off('error', onError)
  if (failure === undefined) return socket
  socket.close()
  return failure
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
