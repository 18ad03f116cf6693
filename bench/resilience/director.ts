// The director as `npm run serve` runs it: control and proxy under their supervisor, one of which can be killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { Sample } from '#rpc/contract.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { startNode, type LogLine, type NodeProgram } from '#testkit/processes/node-program.js'
import { openPrivateDirectory } from '../../apps/cli/src/private-directory/private-directory.js'
import type { Endpoint } from '../forward/endpoints.js'

export interface DirectorOptions {
  readonly servers: readonly Endpoint[]
  /** Whether all of the servers are the default endpoint. */
  readonly hasDefault: boolean
  /** YAML lines of the configuration. */
  readonly config: string
}

export type ProcessName = 'control' | 'proxy'

const DATA_PORT = 'default'
const CLI = 'dist/apps/cli/src/main.js'
const PATIENCE_MS = 30_000
const POLL_MS = 20
const CALL_DEADLINE_MS = 5000
/** Tokens asked for at once. */
const ASKERS = 10
// The first signal asks it to stop, which may take as long as there are sessions; the next one insists.
const INSIST_MS = 500

export class Director {
  readonly #supervisor: NodeProgram
  readonly #rpc: RpcClient
  readonly #removeFolder: () => void

  static async open (options: DirectorOptions): Promise<Director> {
    const folder = openPrivateDirectory()
    const inventory = options.servers.map(({ address, port }, index) => gameServerYaml(`server-${index}`, { [DATA_PORT]: port }, { address })).join('')
    folder.write('inventory/servers.yaml', inventory)
    const director = new Director(folder.write('config.yaml', configFor(options)), folder)
    try {
      await director.ready()
      return director
    } catch (error) {
      await director.close()
      throw error
    }
  }

  private constructor (configPath: string, { socketPath, close }: ReturnType<typeof openPrivateDirectory>) {
    this.#removeFolder = close
    this.#supervisor = startNode('serve', CLI, { scriptArguments: ['serve', END_WITH_PARENT], env: { CONFIG_PATH: configPath, UDP_DIRECTOR_SOCKET: socketPath, LOG_LEVEL: 'info' } })
    this.#rpc = createRpcClient({ socketPath, deadlineMs: CALL_DEADLINE_MS, maxInFlight: 4, clock: systemClock })
  }

  /** Resolves when both processes run and control is synchronised with the proxy. */
  async ready (): Promise<void> {
    await this.#until(async () => (await this.#admin('GET', '/readyz')).ok, 'it is not ready')
  }

  pid (name: ProcessName): number {
    return this.#last('Process started', { child: name })['pid'] as number
  }

  /** Where players send; the same after a restart. */
  entrance (): Endpoint {
    return { address: '127.0.0.1', port: (this.#last('Proxy listening')['dataPorts'] as Record<string, number>)[DATA_PORT]! }
  }

  /** Kills the processes with SIGKILL. Returns when, by the clock that all processes share, in ms. */
  kill (names: readonly ProcessName[]): number {
    const pids = names.map(name => this.pid(name))
    const killedAtMs = performance.timeOrigin + performance.now()
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    return killedAtMs
  }

  /** Resolves when the supervisor has started each of these so many times and they are ready. */
  async restarted (names: readonly ProcessName[], starts: number): Promise<void> {
    await this.#until(async () => names.every(child => this.#last('Process started', { child })['starts'] === starts), 'it was not started again')
    await this.ready()
  }

  /** Tokens, one for each of these. */
  async tokens (targets: readonly Endpoint[]): Promise<readonly string[]> {
    const tokens: string[] = []
    for (let first = 0; first < targets.length; first += ASKERS) {
      tokens.push(...await Promise.all(targets.slice(first, first + ASKERS).map(async ({ address, port }) => {
        const answer = await this.#admin('POST', '/tokens', { address, ports: { [DATA_PORT]: port } })
        if (!answer.ok) throw new Error(`POST /tokens: ${await answer.text()}`)
        return (await answer.json() as { token: string }).token
      })))
    }
    return tokens
  }

  /** Until the proxy has so many sessions. */
  async hasSessions (count: number): Promise<void> {
    await this.#until(async () => valueOf(await this.samples(), 'udp_director_sessions_active') === count, `it does not have ${count} sessions`)
  }

  /** The proxy's counters and gauges. */
  async samples (): Promise<readonly Sample[]> {
    const stats = await this.#rpc.call('stats', {})
    if (!stats.ok) throw new Error(stats.error.message)
    return stats.value.samples
  }

  async close (): Promise<void> {
    await this.#rpc.close()
    const insisting = setInterval(() => { this.#supervisor.kill('SIGTERM') }, INSIST_MS)
    this.#supervisor.kill('SIGTERM')
    await this.#supervisor.ended
    clearInterval(insisting)
    this.#removeFolder()
  }

  #last (msg: string, fields: Readonly<Record<string, unknown>> = {}): LogLine {
    const line = this.#supervisor.log.findLast(line => line.msg === msg && Object.entries(fields).every(([name, value]) => line[name] === value))
    if (line === undefined) throw new Error(`the director has not said "${msg}" yet: ${this.#supervisor.stderr()}`)
    return line
  }

  async #admin (method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(`http://127.0.0.1:${String(this.#last('Control listening')['adminPort'])}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    })
  }

  async #until (holds: () => Promise<boolean>, fault: string): Promise<void> {
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      // A process that is just starting refuses connections, and has not said where it listens.
      if (await holds().catch(() => false)) return
      if (performance.now() > deadline) throw new Error(`${fault}: ${this.#supervisor.log.slice(-5).map(line => JSON.stringify(line)).join('\n')}${this.#supervisor.stderr()}`)
      await sleep(POLL_MS)
    }
  }
}

/** The sum of the samples of a metric whose labels are these. */
export function valueOf (samples: readonly Sample[], metric: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples.filter(sample => sample.name === metric && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)).reduce((sum, { value }) => sum + value, 0)
}

function configFor ({ hasDefault, config }: DirectorOptions): string {
  return [
    'bindAddress: 127.0.0.1',
    'queryPort: 0',
    'adminPort: 0',
    `dataPorts: [{name: ${DATA_PORT}, port: 0}]`,
    'namespaces: [games]',
    'inventory: {provider: file, path: inventory}',
    'allowedTargets: [127.0.0.0/8]',
    'loadBalancing: {type: roundRobin}',
    ...(hasDefault ? ['defaultEndpoint: {resourceType: gameserver, namespace: games}'] : []),
    'resourceQueryMapping:',
    `  gameserver: {group: agones.dev, version: v1, resource: gameservers, addressPath: status.address, portName: ${DATA_PORT}}`,
    config,
    ''
  ].join('\n')
}
