// One inventory size with everything that belongs to it: a cluster, control and proxy, and what is measured there.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pair } from '#testkit/director/pair.js'
import { sumInText } from '#testkit/director/samples.js'
import { openFolder, type Folder } from '#testkit/folder.js'
import type { ClusterCalls } from './cluster/main.js'
import { fleetName, NAMESPACE, queriesFor, spreadOf } from './game-servers.js'
import type { LoadCalls } from './load/main.js'
import type { BenchOptions } from './options.js'
import { openHelper, type Helper } from '#testkit/processes/helper.js'

export interface Figures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly queriesPerSecond: number
  /** Of control's event loop. */
  readonly loopDelayP99Ms: number
  readonly residentMegabytes: number
  /** Of one core, used by control. */
  readonly cpuPercent: number
  /** Events that control took in. */
  readonly eventsPerSecond: number
  /** Queries whose object changed before its token was acknowledged. */
  readonly gone: number
}

interface Scrape {
  readonly atMs: number
  readonly cpuSeconds: number
  readonly events: number
  readonly loopDelaySeconds: number
  readonly residentBytes: number
  /** Lines of `/metrics`, one for each code. */
  readonly failedQueries: string
}

// Tokens of a second ago are gone: at 50,000 queries a second the default of limits.maxTokens is not reached. A slow
// answer of the proxy is a figure, and no failure.
const CONFIG = `
namespaces: [${NAMESPACE}]
tokenTtlSeconds: 1
loadBalancing: {type: leastSessions}
limits: {pushDeadlineMs: 10000, queriesPerSecond: 0, maxTokensPerCaller: 10000000, maxRequests: 100000}
defaultEndpoint:
  resourceType: gameserver
  namespace: ${NAMESPACE}
  labelSelector: {agones.dev/fleet: ${fleetName(0)}}
  statusQuery: {jsonPath: status.state, expectedValue: Ready}
`

export class Side {
  /** GameServers at the beginning, and a few more or less later. */
  readonly objects: number
  /** Of their JSON, on average. */
  readonly meanBytes: number
  readonly #cluster: Helper<ClusterCalls>
  readonly #folder: Folder
  readonly #pair: Pair
  readonly #isProfiled: boolean

  static async open (objects: number, { profile }: Pick<BenchOptions, 'profile'>): Promise<Side> {
    const cluster = openHelper<ClusterCalls>(new URL('cluster/main.js', import.meta.url))
    const folder = openFolder()
    try {
      const { kubeconfig, meanBytes } = await cluster.call('open', { objects })
      const pair = await Pair.open({
        config: `${CONFIG}\ninventory: {provider: kubernetes, kubeconfig: ${folder.write('kubeconfig', kubeconfig)}}`,
        logLevel: 'info',
        statePath: join(folder.path, 'proxy.state'),
        ...(profile === undefined ? {} : { controlArguments: ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=control-${objects}.cpuprofile`] })
      })
      return new Side({ objects, meanBytes, cluster, folder, pair, isProfiled: profile !== undefined })
    } catch (error) {
      folder.close()
      await cluster.close()
      throw error
    }
  }

  private constructor (parts: { objects: number, meanBytes: number, cluster: Helper<ClusterCalls>, folder: Folder, pair: Pair, isProfiled: boolean }) {
    this.objects = parts.objects
    this.meanBytes = parts.meanBytes
    this.#cluster = parts.cluster
    this.#folder = parts.folder
    this.#pair = parts.pair
    this.#isProfiled = parts.isProfiled
  }

  /** Asks with so many connections while events come; nothing goes on here before and after. Rejects if a query failed. */
  async measure (load: Helper<LoadCalls>, connections: number, { events, seconds, warmUp }: BenchOptions): Promise<Figures> {
    await this.#cluster.call('start', { eventsPerSecond: events })
    await load.call('start', { url: `http://127.0.0.1:${this.#pair.queryPort}/query`, connections, bodies: queriesFor(spreadOf(this.objects)) })
    await sleep(warmUp * 1000)
    const before = await this.#scrape()
    await load.call('mark', undefined)
    await sleep(seconds * 1000)
    const { answers, gone, failures, seconds: askedSeconds, p50Ms, p99Ms } = await load.call('stop', undefined)
    const after = await this.#scrape()
    await this.#cluster.call('stop', undefined)
    if (failures > 0 || answers === 0) throw new Error(`${failures} of ${answers + failures} queries of ${this.objects} objects failed, so the figures would mean nothing. Since the start:\n${after.failedQueries}`)
    const elapsedSeconds = (after.atMs - before.atMs) / 1000
    return {
      p50Ms,
      p99Ms,
      queriesPerSecond: answers / askedSeconds,
      loopDelayP99Ms: after.loopDelaySeconds * 1000,
      residentMegabytes: after.residentBytes / 1e6,
      cpuPercent: (after.cpuSeconds - before.cpuSeconds) / elapsedSeconds * 100,
      eventsPerSecond: (after.events - before.events) / elapsedSeconds,
      gone
    }
  }

  async close (): Promise<void> {
    if (this.#isProfiled) {
      // The profile is written when the process ends by itself.
      this.#pair.control.kill('SIGTERM')
      await this.#pair.control.ended
    }
    await this.#pair.close()
    this.#folder.close()
    await this.#cluster.close()
  }

  async #scrape (): Promise<Scrape> {
    const text = await this.#pair.metrics()
    const control = { process: 'control' }
    return {
      atMs: performance.now(),
      cpuSeconds: sumInText(text, 'udp_director_process_cpu_seconds_total', control),
      events: sumInText(text, 'udp_director_inventory_events_total', { outcome: 'applied' }),
      loopDelaySeconds: sumInText(text, 'udp_director_event_loop_delay_seconds', { quantile: '0.99' }),
      residentBytes: sumInText(text, 'udp_director_process_resident_memory_bytes', control),
      failedQueries: text.split('\n').filter(line => line.startsWith('udp_director_queries_failed_total{')).join('\n')
    }
  }
}
