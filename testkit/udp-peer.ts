// A UDP socket for tests that remembers what it got and lets a test wait for it.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { PATIENCE_MS } from './patience.js'
import { portForSocket } from './ports.js'

export interface Received {
  readonly bytes: Buffer
  readonly address: string
  readonly port: number
}

export interface UdpPeer {
  readonly port: number
  readonly received: readonly Received[]
  readonly send: (bytes: Uint8Array | string, port: number, address?: string) => Promise<void>
  /** The next datagram nobody has taken yet. Rejects if none ever comes. */
  readonly next: () => Promise<Received>
  /** The next datagram nobody has taken yet, if it is here. */
  readonly take: () => Received | undefined
  /** Calls `answer` for every datagram; the datagram is still kept for `next`. */
  readonly onDatagram: (answer: (received: Received) => void) => void
  readonly close: () => Promise<void>
}

/**
 * Binds a socket on loopback: `127.0.0.1` or, with family 6, `::1`.
 * @param port default: one that no director gets, see ports.ts
 */
export async function openUdpPeer (family: 4 | 6 = 4, port?: number): Promise<UdpPeer> {
  const host = family === 4 ? '127.0.0.1' : '::1'
  const socket = await openUdpSocket(host, port)
  const received: Received[] = []
  const waiting: ((received: Received) => void)[] = []
  const listeners: ((received: Received) => void)[] = []
  let taken = 0
  socket.on('message', (bytes: Buffer, { address, port }: RemoteInfo) => {
    const item = { bytes, address, port }
    received.push(item)
    for (const listener of listeners) listener(item)
    const waiter = waiting.shift()
    if (waiter === undefined) return
    taken++
    waiter(item)
  })
  const take = (): Received | undefined => taken < received.length ? received[taken++] : undefined
  const next = async (): Promise<Received> => {
    const here = take()
    if (here !== undefined) return here
    return await new Promise((resolve, reject) => {
      const waiter = (item: Received): void => {
        clearTimeout(timer)
        resolve(item)
      }
      // eslint-disable-next-line no-restricted-syntax -- the one limit; who gave up must not take what comes later
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(waiter), 1)
        reject(new Error(`no datagram came to port ${socket.address().port}`))
      }, PATIENCE_MS)
      waiting.push(waiter)
    })
  }
  return {
    port: socket.address().port,
    received,
    next,
    take,
    send: async (bytes, toPort, address = host) => {
      await new Promise<void>((resolve, reject) => {
        socket.send(bytes, toPort, address, error => { if (error === null) resolve(); else reject(error) })
      })
    },
    onDatagram: answer => { listeners.push(answer) },
    close: async () => { await new Promise<void>(resolve => { socket.close(resolve) }) }
  }
}

/** A bound socket at this address of ours; its port is one that no director gets, unless it is named. */
export async function openUdpSocket (address: string, port?: number): Promise<Socket> {
  for (;;) {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4_000_000 })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.bind(port ?? portForSocket(), address, () => {
          socket.off('error', reject)
          resolve()
        })
      })
      return socket
    } catch (error) {
      socket.close()
      // Somebody has the number that came up: another one.
      if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

/** True if this machine has an IPv6 loopback address. */
export async function hasIPv6 (): Promise<boolean> {
  try {
    const peer = await openUdpPeer(6)
    await peer.close()
    return true
  } catch {
    return false
  }
}
