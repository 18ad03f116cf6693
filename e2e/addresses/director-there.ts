// A director on the other side, with two game servers here.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../checks.js'
import { start } from '../children.js'
import { commandPath, untilReady } from '../director.js'
import { openGameServer, type GameServer } from './game-server.js'
import type { Network } from './network.js'

export const DATA_PORT = 7777
const QUERY_PORT = 9000

export interface DirectorThere {
  readonly pid: number
  readonly servers: Readonly<Record<'one' | 'two', GameServer>>
  readonly query: (server: string) => Promise<string>
  readonly end: () => Promise<void>
}

/** @param config what is particular to this one */
export async function startDirectorThere ({ there: [program, ...front] }: Network, folder: string, config: object): Promise<DirectorThere> {
  const servers = { one: await openGameServer(), two: await openGameServer() }
  await mkdir(join(folder, 'inventory'))
  await writeFile(join(folder, 'inventory/servers.json'), JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: Object.entries(servers).map(([name, { address, port }]) => ({
      apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { name, namespace: 'e2e', labels: { name } }, status: { address, ports: [{ name: 'default', port }] }
    }))
  }))
  await writeFile(join(folder, 'config.yaml'), JSON.stringify({
    queryPort: QUERY_PORT,
    dataPorts: [{ name: 'default', port: DATA_PORT }],
    drainTimeoutSeconds: 0,
    inventory: { provider: 'file', path: './inventory' },
    resourceQueryMapping: { server: { group: 'agones.dev', version: 'v1', resource: 'gameservers', addressPath: 'status.address', portName: 'default' } },
    ...config
  }))
  const env = { UDP_DIRECTOR_SOCKET: join(folder, 'proxy.sock'), UDP_DIRECTOR_STATE: join(folder, 'proxy.state') }
  const process = start('director', program!, [...front, globalThis.process.execPath, commandPath, 'serve', '--config', join(folder, 'config.yaml')], { env })
  const url = `http://10.9.0.1:${QUERY_PORT}`
  await untilReady(process, url)
  return {
    pid: process.pid!,
    servers,
    // A proxy that was killed takes a moment to be back.
    query: async server => await eventually('A token', async () => {
      const body = JSON.stringify({ resourceType: 'server', namespace: 'e2e', labelSelector: { name: server } })
      const answer = await fetch(`${url}/query`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      if (!answer.ok) throw new Error(`the query was answered ${answer.status}: ${await answer.text()}`)
      return (await answer.json() as { token: string }).token
    }),
    end: async () => {
      await process.end()
      await Promise.all(Object.values(servers).map(async server => { await server.close() }))
    }
  }
}
