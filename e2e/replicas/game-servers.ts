// Game servers that answer each datagram with who they are and through which replica it came, so that a player knows both.
import { openUdpSocket } from '#testkit/udp-peer.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { HERE, replicaAt } from './network.js'
import { dataPorts } from './places.js'

/** Where players go who are sent nowhere. */
export const LOBBY = 'lobby'

/** What players are sent to. */
export const arenas = ['arena-1', 'arena-2', 'arena-3', 'arena-4', 'arena-5'] as const

export interface GameServers {
  /** A document of an inventory for each. */
  readonly inventory: string
  readonly close: () => Promise<void>
}

/** The answer to `text` is `server replica text`. */
export async function openGameServers (): Promise<GameServers> {
  const sockets = await Promise.all([LOBBY, ...arenas].map(async name => {
    const socket = await openUdpSocket(HERE)
    socket.on('message', (bytes, { address, port }) => { socket.send(`${name} ${replicaAt(address)} ${bytes.toString()}`, port, address) })
    return { name, socket }
  }))
  const ports = (port: number): Readonly<Record<string, number>> => Object.fromEntries(Object.keys(dataPorts).map(name => [name, port]))
  return {
    inventory: sockets.map(({ name, socket }) => gameServerYaml(name, ports(socket.address().port), { address: HERE, labels: { name } })).join(''),
    close: async () => {
      await Promise.all(sockets.map(async ({ socket }) => { await new Promise<void>(resolve => { socket.close(resolve) }) }))
    }
  }
}
