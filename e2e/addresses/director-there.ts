// A director on the other side, with two game servers here.
import { Serve } from '#testkit/director/serve.js'
import { eventually } from '#testkit/patience.js'
import { DATA_PORT, query, withTargets } from '../director.js'
import { openGameServer, type GameServer } from './game-server.js'
import type { Network } from './network.js'

/** Of the data port, where players send. */
export const PORT = 7777

export interface DirectorThere {
  readonly servers: Readonly<Record<'one' | 'two', GameServer>>
  readonly query: (server: string) => Promise<string>
  /** Kills the proxy, and waits until there is another one. */
  readonly restartProxy: () => Promise<void>
  readonly close: () => Promise<void>
}

/** @param settings what is particular to this one */
export async function startDirectorThere ({ there }: Network, settings: object): Promise<DirectorThere> {
  const servers = { one: await openGameServer(), two: await openGameServer() }
  const targets = Object.entries(servers).map(([name, { address, port }]) => ({ name, address, port }))
  const director = await Serve.open({ ...withTargets(targets, { allowedTargets: undefined, ...settings }), dataPorts: { [DATA_PORT]: PORT }, prefix: there, host: '10.9.0.1' })
  return {
    servers,
    // A proxy that was killed takes a moment to be back.
    query: async server => await eventually(async () => await query(director, server), { what: 'a token', mayFail: true, pollMs: 50 }),
    restartProxy: async () => {
      const starts = director.starts('proxy')
      director.kill('proxy')
      await director.until(() => director.starts('proxy') > starts)
    },
    close: async () => {
      await director.close()
      await Promise.all(Object.values(servers).map(async server => { await server.close() }))
    }
  }
}
