// A director with game servers behind it and players in front of it, each with a session by a token, each heard by its
// server: what every experiment begins with.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Serve } from '#testkit/director/serve.js'
import { openHelper, type Helper } from '#testkit/processes/helper.js'
import { targetCount, targetsAt } from '../forward/endpoints.js'
import { entranceOf, openDirector, tokensFor, type DirectorOptions } from './director.js'
import type { PlayerCalls, PlayerCounts } from './players/main.js'
import type { ServerCalls, ServerCounts } from './servers/main.js'

export interface FieldOptions extends Pick<DirectorOptions, 'hasDefault' | 'engine'> {
  readonly players: number
}

export interface FieldCounts {
  readonly players: PlayerCounts
  readonly servers: ServerCounts
}

const POLL_MS = 100
// Nothing more comes when nothing has come for so long, in ms.
const QUIET_MS = 1000

export class Field {
  readonly director: Serve
  readonly players: Helper<PlayerCalls>
  readonly servers: Helper<ServerCalls>

  static async open ({ players: count, ...options }: FieldOptions): Promise<Field> {
    const players = openHelper<PlayerCalls>(new URL('players/main.js', import.meta.url))
    const servers = openHelper<ServerCalls>(new URL('servers/main.js', import.meta.url))
    let director: Serve | undefined
    try {
      const { port } = await servers.call('open', { players: count })
      const endpoints = targetsAt(targetCount(count), port)
      const opened = director = await openDirector({ servers: endpoints, ...options })
      await players.call('open', { count, destination: entranceOf(opened) })
      const tokens = await tokensFor(opened, Array.from({ length: count }, (_, player) => endpoints[player % endpoints.length]!))
      await players.call('redeem', { tokens })
      await opened.until(async () => await opened.sum('udp_director_sessions_active') === count, { pollMs: POLL_MS })
      return new Field(opened, players, servers)
    } catch (error) {
      await Promise.all([players.close(), servers.close(), director?.close()])
      throw error
    }
  }

  private constructor (director: Serve, players: Helper<PlayerCalls>, servers: Helper<ServerCalls>) {
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
