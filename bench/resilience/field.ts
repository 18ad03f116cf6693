// A director with game servers behind it and players in front of it, each with a session by a token, each heard by its
// server: what every experiment begins with.
import { setTimeout as sleep } from 'node:timers/promises'
import { openWorker, type Worker } from '../worker.js'
import { targetCount, targetsAt } from '../forward/endpoints.js'
import { Director } from './director.js'
import type { PlayerCalls, PlayerCounts } from './players/main.js'
import type { ServerCalls, ServerCounts } from './servers/main.js'

export interface FieldOptions {
  readonly players: number
  readonly hasDefault: boolean
  /** YAML lines of the director's configuration. */
  readonly config: string
}

export interface FieldCounts {
  readonly players: PlayerCounts
  readonly servers: ServerCounts
}

const POLL_MS = 100
// Nothing more comes when nothing has come for so long, in ms.
const QUIET_MS = 1000

export class Field {
  readonly director: Director
  readonly players: Worker<PlayerCalls>
  readonly servers: Worker<ServerCalls>

  static async open ({ players: count, hasDefault, config }: FieldOptions): Promise<Field> {
    const players = openWorker<PlayerCalls>(new URL('players/main.js', import.meta.url))
    const servers = openWorker<ServerCalls>(new URL('servers/main.js', import.meta.url))
    let director: Director | undefined
    try {
      const { port } = await servers.call('open', { players: count })
      const endpoints = targetsAt(targetCount(count), port)
      director = await Director.open({ servers: endpoints, hasDefault, config })
      await players.call('open', { count, destination: director.entrance() })
      const tokens = await director.tokens(Array.from({ length: count }, (_, player) => endpoints[player % endpoints.length]!))
      await players.call('redeem', { tokens })
      await director.hasSessions(count)
      return new Field(director, players, servers)
    } catch (error) {
      await Promise.all([players.close(), servers.close(), director?.close()])
      throw error
    }
  }

  private constructor (director: Director, players: Worker<PlayerCalls>, servers: Worker<ServerCalls>) {
    this.director = director
    this.players = players
    this.servers = servers
  }

  async counts (): Promise<FieldCounts> {
    const [players, servers] = await Promise.all([this.players.call('counts', undefined), this.servers.call('counts', undefined)])
    return { players, servers }
  }

  /** The players stop; what is under way arrives or is lost. */
  async settled (): Promise<FieldCounts> {
    await this.players.call('pace', 0)
    let counts = await this.counts()
    for (let quietMs = 0; quietMs < QUIET_MS; quietMs += POLL_MS) {
      await sleep(POLL_MS)
      const next = await this.counts()
      if (JSON.stringify(next) !== JSON.stringify(counts)) quietMs = 0
      counts = next
    }
    return counts
  }

  async close (): Promise<void> {
    await Promise.all([this.players.close(), this.servers.close()])
    await this.director.close()
  }
}
