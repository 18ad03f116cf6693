// The store: Debian's redis-server or what STORE_SERVER names (a valkey-server, for one), alone or with a replica of it and three Sentinels, and
// what can happen to it. It keeps nothing on disk: who is killed comes back empty.
import { join } from 'node:path'
import { until } from '#testkit/patience.js'
import type { Folder } from '#testkit/folder.js'
import { startChild, type Child } from '#testkit/processes/child.js'
import { runProgram } from '#testkit/processes/run-program.js'
import { pathOf } from '../checks.js'
import { endsWithUs } from '../namespaces.js'
import { HERE } from './network.js'

export class Store {
  readonly url: string
  readonly #start: () => Promise<Child>
  #process: Child

  /** @param more options of redis-server */
  static async open (folder: Folder, port: number, ...more: readonly string[]): Promise<Store> {
    folder.makeFolder(`redis-${port}`)
    const options = ['--port', String(port), '--bind', HERE, '--dir', join(folder.path, `redis-${port}`), '--save', '', '--appendonly', 'no', '--protected-mode', 'no', ...more]
    const start = async (): Promise<Child> => await started('the store', options, /Ready to accept connections/)
    return new Store(port, start, await start())
  }

  private constructor (port: number, start: () => Promise<Child>, process: Child) {
    this.url = `redis://${HERE}:${port}`
    this.#start = start
    this.#process = process
  }

  /** It stops answering, and its connections stay open. */
  pause (): void {
    this.#process.kill('SIGSTOP')
  }

  resume (): void {
    this.#process.kill('SIGCONT')
  }

  /** It is gone with all that it knew. */
  async kill (): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#process.ended
  }

  /** It is there again, empty. */
  async restart (): Promise<void> {
    this.#process = await this.#start()
  }

  async close (): Promise<void> {
    await this.kill()
  }
}

export const SENTINEL_NAME = 'lab'

export interface Watched {
  readonly primary: Store
  /** Of the Sentinels. */
  readonly urls: readonly string[]
  readonly close: () => Promise<void>
}

const DOWN_AFTER_MS = 1000

/** A primary, a replica of it, and three Sentinels that agree by two when the primary is gone. */
export async function openWatched (folder: Folder, firstPort: number): Promise<Watched> {
  const [primaryPort, replicaPort, ...sentinelPorts] = [0, 1, 2, 3, 4].map(distance => firstPort + distance) as [number, number, ...number[]]
  const primary = await Store.open(folder, primaryPort)
  const replica = await Store.open(folder, replicaPort, '--replicaof', HERE, String(primaryPort), '--repl-diskless-sync-delay', '0')
  const sentinels = await Promise.all(sentinelPorts.map(async port => {
    const file = folder.write(`sentinel-${port}.conf`, [
      `port ${port}`, `bind ${HERE}`, 'protected-mode no', `dir ${folder.path}`,
      `sentinel monitor ${SENTINEL_NAME} ${HERE} ${primaryPort} 2`,
      `sentinel down-after-milliseconds ${SENTINEL_NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${SENTINEL_NAME} 5000`, ''
    ].join('\n'))
    return await started('a Sentinel', [file, '--sentinel'], /\+monitor/)
  }))
  for (const port of sentinelPorts) await until(async () => await knows(port), { what: `what sentinel ${port} knows`, pollMs: 50 })
  return {
    primary,
    urls: sentinelPorts.map(port => `redis://${HERE}:${port}`),
    close: async () => {
      for (const sentinel of sentinels) sentinel.kill('SIGKILL')
      await Promise.all(sentinels.map(async sentinel => await sentinel.ended))
      await Promise.all([primary, replica].map(async store => { await store.close() }))
    }
  }
}

// A Sentinel that knows no replica has nobody to promote.
async function knows (port: number): Promise<boolean> {
  const { stdout } = await runProgram(pathOf('redis-cli'), ['-h', HERE, '-p', String(port), 'sentinel', 'master', SENTINEL_NAME])
  return /num-slaves\n1\n/.test(stdout) && /num-other-sentinels\n2\n/.test(stdout) && /^master$/m.test(stdout)
}

async function started (what: string, args: readonly string[], isUp: RegExp): Promise<Child> {
  const [command, ...front] = endsWithUs
  const child = startChild(what, command, [...front, process.env['STORE_SERVER'] ?? pathOf('redis-server'), ...args])
  await until(() => {
    if (!child.isRunning()) throw new Error(child.output())
    return isUp.test(child.output())
  }, { what: () => `the start of ${what}: ${child.output()}` })
  return child
}
