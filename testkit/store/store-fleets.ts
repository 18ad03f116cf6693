// Several real servers: a primary with its replica and three sentinels, and a cluster of three primaries.
import type { Test } from 'tap'
import { until } from '../patience.js'
import { startServer, type StoreServer } from './store-server.js'

/** Silence after which sentinels give a primary up, in ms. */
const DOWN_AFTER_MS = 1000

export interface Sentinels {
  readonly name: string
  readonly sentinels: readonly StoreServer[]
  readonly primary: StoreServer
  readonly replica: StoreServer
}

/** A primary, a replica that is in step with it, and three sentinels that know all of it. */
export async function startSentinels (t: Test): Promise<Sentinels> {
  const name = 'ud'
  const primary = await startServer(t)
  const replica = await startServer(t, { settings: ['--replicaof', '127.0.0.1', String(primary.port)] })
  const sentinels = await Promise.all([0, 1, 2].map(async () => await startServer(t, { isSentinel: true })))
  for (const { command } of sentinels) {
    await command('SENTINEL', 'MONITOR', name, '127.0.0.1', String(primary.port), '2')
    await command('SENTINEL', 'SET', name, 'down-after-milliseconds', String(DOWN_AFTER_MS), 'failover-timeout', '5000')
  }
  await until(async () => /master_link_status:up/.test(String(await replica.command('INFO', 'replication'))))
  for (const { command } of sentinels) {
    await until(async () => {
      const fields = await command('SENTINEL', 'MASTER', name) as readonly string[]
      const field = (key: string): string | undefined => fields[fields.indexOf(key) + 1]
      return field('num-slaves') === '1' && field('num-other-sentinels') === '2' && field('flags') === 'master'
    })
  }
  return { name, sentinels, primary, replica }
}

/** Three primaries with a third of the slots each. */
export async function startCluster (t: Test): Promise<readonly StoreServer[]> {
  const nodes = await Promise.all([0, 1, 2].map(async () => await startServer(t, { settings: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-require-full-coverage', 'no'] })))
  const bounds = [0, 5461, 10_923, 16_384]
  for (const [at, { command, port, busPort }] of nodes.entries()) {
    await command('CLUSTER', 'ADDSLOTSRANGE', String(bounds[at]), String(bounds[at + 1]! - 1))
    await command('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1))
    if (at > 0) await nodes[0]!.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort))
  }
  for (const { command } of nodes) await until(async () => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await command('CLUSTER', 'INFO'))))
  return nodes
}
