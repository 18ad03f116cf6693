// A game client: one UDP socket that sends and waits for answers.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock } from '#core/clock.js'
import { HOST } from './world.js'

export interface UdpClient {
  /** `127.0.0.1:port`, as the director names this client. */
  readonly address: string
  readonly send: (data: string | Uint8Array) => Promise<void>
  /** The oldest answer not taken yet; undefined if none comes within `deadlineMs`. */
  readonly receive: (deadlineMs: number) => Promise<string | undefined>
  readonly close: () => void
}

/** Opens a client of the data port `port` on this machine. */
export async function openUdpClient (port: number, clock: Clock): Promise<UdpClient> {
  const socket = createSocket('udp4')
  const answers: string[] = []
  let onAnswer = (): void => {}
  socket.on('message', data => {
    answers.push(data.toString('utf8'))
    onAnswer()
  })
  // A port that refuses is seen as an answer that does not come.
  socket.on('error', () => {})
  socket.bind(0, HOST)
  await once(socket, 'listening')
  return {
    address: `${HOST}:${socket.address().port}`,
    send: async data => {
      await new Promise<void>((resolve, reject) => {
        socket.send(data, port, HOST, error => { if (error === null) resolve(); else reject(error) })
      })
    },
    receive: async deadlineMs => {
      if (answers.length === 0) {
        await new Promise<void>(resolve => {
          const cancel = clock.after(deadlineMs, resolve)
          onAnswer = () => { cancel(); resolve() }
        })
      }
      return answers.shift()
    },
    close: () => { socket.close() }
  }
}
