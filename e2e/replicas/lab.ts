// What every part of the suite has: the network with its balancer, the game servers, and 150 players.
import { openFolder, type Folder } from '#testkit/folder.js'
import { openBalancer, type Balancer } from './balancer.js'
import { Fleet } from './fleet.js'
import { arenas, openGameServers } from './game-servers.js'
import { everyReplica, openNetwork, type Network } from './network.js'
import { Player } from './player.js'

export const PLAYERS = 150

export interface Lab {
  readonly network: Network
  readonly balancer: Balancer
  /** With the inventory of the game servers, and for what a part has to write. */
  readonly folder: Folder
  /** Whether it may take minutes. */
  readonly isLong: boolean
  /** A Python that has aioquic; only if it may take minutes. */
  readonly pythonWithQuic: string | undefined
}

/** Why something is left out otherwise. */
export const whyNotLong = 'it takes a minute or more; `npm run e2e -- --long replicas` runs it'

export async function openLab (pythonWithQuic: string | undefined): Promise<Lab> {
  const network = await openNetwork()
  const balancer = await openBalancer(network)
  await balancer.spread('flow', everyReplica)
  const folder = openFolder()
  const servers = await openGameServers()
  folder.write('inventory/servers.yaml', servers.inventory)
  return { network, balancer, folder, isLong: pythonWithQuic !== undefined, pythonWithQuic }
}

/** Three directors, which are closed again whatever becomes of `body`. */
export async function withFleet ({ network, folder }: Lab, settings: object, body: (fleet: Fleet) => Promise<void>): Promise<void> {
  const fleet = await Fleet.open(network, folder, settings)
  try {
    await body(fleet)
  } finally {
    await fleet.close()
  }
}

/** So many new players, who are closed again whatever becomes of `body`. */
export async function withPlayers (count: number, body: (players: readonly Player[]) => Promise<void>): Promise<void> {
  const players = await Promise.all(Array.from({ length: count }, async () => await Player.open()))
  try {
    await body(players)
  } finally {
    await Promise.all(players.map(async player => { await player.close() }))
  }
}

/** A token for each player: for one game server after the other, made at one replica after the other. */
export async function tokensFor (fleet: Fleet, players: readonly Player[], { replicas = everyReplica, shift = 0 } = {}): Promise<(player: Player) => string> {
  const tokens = new Map<Player, string>()
  // A few at a time, as a matchmaker would.
  const todo = [...players.entries()]
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [index, player] = next
      player.server = arenas[(index + shift) % arenas.length]!
      tokens.set(player, await fleet.query(replicas[index % replicas.length]!, player.server))
    }
  }))
  return player => tokens.get(player)!
}
