// A game server that says what a player told it to say, as often as the player said; and speaks unasked to players it knows.
import { createSocket } from 'node:dgram'
import { here } from './network.js'

export interface GameServer {
  readonly address: string
  readonly port: number
  /** Says something to the player of this name, from whom it has heard; false if it has not. */
  readonly sayTo: (player: string, text: string) => boolean
  readonly close: () => Promise<void>
}

/** A question is `name count`; the answers are `count` times `name number`, all of one length. */
export async function openGameServer (): Promise<GameServer> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
  const players = new Map<string, { readonly address: string, readonly port: number }>()
  await new Promise<void>(resolve => { socket.bind(0, here[4], resolve) })
  socket.on('message', (bytes, { address, port }) => {
    const [name = '', count = ''] = bytes.toString().split(' ')
    players.set(name, { address, port })
    for (let number = 0; number < Number(count); number++) socket.send(`${name} ${String(number).padStart(4, '0')}`, port, address)
  })
  return {
    address: here[4],
    port: socket.address().port,
    sayTo: (name, text) => {
      const player = players.get(name)
      if (player !== undefined) socket.send(`${name} ${text}`, player.port, player.address)
      return player !== undefined
    },
    close: async () => { await new Promise<void>(resolve => { socket.close(() => { resolve() }) }) }
  }
}
