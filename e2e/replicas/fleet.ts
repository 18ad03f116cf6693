// Three directors, each on a host of its own, with one inventory; and what can happen to them.
import { Serve } from '#testkit/director/serve.js'
import { sumInText } from '#testkit/director/samples.js'
import type { Folder } from '#testkit/folder.js'
import { LOBBY } from './game-servers.js'
import { addressOf, everyReplica, type Network } from './network.js'
import { ADMIN_PORT, dataPorts, QUERY_PORT } from './places.js'

// One of each kind: what replicas tell each other does not depend on how they forward.
const engines = [{ engine: 'batch', workers: 1 }, { engine: 'dgram', workers: 1 }, { engine: 'batch', workers: 2 }] as const

/** The configuration of a director on the host of this replica, with the inventory in this folder. */
export function settingsOf (folder: Folder, replica: number, settings: object): Readonly<Record<string, unknown>> {
  return {
    bindAddress: undefined,
    queryPort: QUERY_PORT,
    adminPort: ADMIN_PORT,
    allowedTargets: undefined,
    inventory: { provider: 'file', path: `${folder.path}/inventory` },
    defaultEndpoint: { resourceType: 'gameserver', namespace: 'games', labelSelector: { name: LOBBY } },
    ...engines[replica],
    ...settings,
    // Everybody here has one address.
    limits: { amplificationFactor: 0, newSessionsPerSecond: 0, asksPerPrefix: 5000, queriesPerSecond: 100_000, ...(settings as { limits?: object }).limits }
  }
}

export class Fleet {
  readonly #directors: Serve[]
  readonly #start: (replica: number) => Promise<Serve>

  /**
   * Starts all of them.
   * @param folder has the inventory, in `inventory`
   * @param settings what is particular to these
   */
  static async open ({ hosts }: Network, folder: Folder, settings: object): Promise<Fleet> {
    const start = async (replica: number): Promise<Serve> => await Serve.open({
      dataPorts,
      prefix: hosts[replica]!.prefix,
      host: addressOf(replica),
      settings: settingsOf(folder, replica, settings)
    })
    return new Fleet(await Promise.all(hosts.map(async (_, replica) => await start(replica))), start)
  }

  private constructor (directors: readonly Serve[], start: (replica: number) => Promise<Serve>) {
    this.#directors = [...directors]
    this.#start = start
  }

  at (replica: number): Serve {
    return this.#directors[replica]!
  }

  /** A token for the game server of this name, made at this replica. */
  async query (replica: number, server: string): Promise<string> {
    return await this.at(replica).query({ labelSelector: { name: server } })
  }

  /** The sum of a metric over the replicas, or of one of them. */
  async sum (metric: string, labels: Readonly<Record<string, string>> = {}, replicas: readonly number[] = everyReplica): Promise<number> {
    const texts = await Promise.all(replicas.map(async replica => await this.at(replica).metrics()))
    return texts.reduce((sum, text) => sum + sumInText(text, metric, labels), 0)
  }

  /** Kills everything of this replica at once, as a lost machine does. */
  async kill (replica: number): Promise<void> {
    const director = this.at(replica)
    // Who would start the other two anew goes first.
    for (const pid of [director.process.pid, director.pid('proxy'), director.pid('control')]) process.kill(pid, 'SIGKILL')
    await director.process.ended
  }

  /** Starts a replica anew, that was killed. */
  async restart (replica: number): Promise<void> {
    await this.at(replica).close()
    this.#directors[replica] = await this.#start(replica)
  }

  async close (): Promise<void> {
    await Promise.all(this.#directors.map(async director => { await director.close() }))
  }
}
