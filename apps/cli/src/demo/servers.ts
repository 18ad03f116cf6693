// Game servers that do nothing but say who they are: `arena-1: hello` to whoever sends `hello`.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { HOST } from './world.js'

export interface DemoServer<Name extends string = string> {
  readonly name: Name
  readonly port: number
  /** The texts it got, in order. Only the latest are kept. */
  readonly received: readonly string[]
  readonly close: () => Promise<void>
}

const KEPT_TEXTS = 100

/** Opens a server on a free port of 127.0.0.1. */
export async function openDemoServer<Name extends string> (name: Name): Promise<DemoServer<Name>> {
  const socket = createSocket('udp4')
  const received: string[] = []
  socket.on('message', (data, { address, port }) => {
    received.push(data.toString('utf8'))
    if (received.length > KEPT_TEXTS) received.shift()
    answer(socket, Buffer.concat([Buffer.from(`${name}: `), data]), port, address)
  })
  socket.bind(0, HOST)
  await once(socket, 'listening')
  return {
    name,
    port: socket.address().port,
    received,
    close: async () => { await new Promise<void>(resolve => { socket.close(() => { resolve() }) }) }
  }
}

function answer (socket: Socket, data: Buffer, port: number, address: string): void {
  socket.send(data, port, address, () => {
    // An answer that cannot be sent is a lost datagram, like any other on a network.
  })
}
