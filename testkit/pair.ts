// The running pair of processes, as a user has them: compiled, configured by files, joined by their Unix socket.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { Sample } from '#rpc/contract.js'
import { PATIENCE_MS, until } from './patience.js'
import { spawnApp, type Spawned } from './spawned.js'

export interface PairOptions {
  /** YAML lines of the configuration, without ports, addresses and mappings. */
  readonly config?: string
  /** The value of `inventory`; default: the files of `inventory` below. */
  readonly provider?: string
  /** Files of the inventory, by name. */
  readonly inventory?: Readonly<Record<string, string>>
  /** Default: `debug`. */
  readonly logLevel?: string
  /** Arguments of Node for control. */
  readonly controlArguments?: readonly string[]
  /** What the names of the state logs begin with, if not the socket's place. */
  readonly statePath?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** Data ports are `game` and `voice`, on free ports; everything listens on 127.0.0.1. */
export class Pair {
  readonly folder: string
  proxy: Spawned
  control: Spawned
  dataPorts: Readonly<Record<string, number>> = {}
  queryPort = 0
  adminPort = 0
  /** Calls to the proxy as control makes them. */
  readonly rpc: RpcClient
  readonly #env: Readonly<Record<string, string>>
  readonly #controlArguments: readonly string[]

  static async open (options: PairOptions = {}): Promise<Pair> {
    const folder = await mkdtemp(join(tmpdir(), 'pair-'))
    await mkdir(join(folder, 'inventory'))
    for (const [name, text] of Object.entries(options.inventory ?? {})) await writeFile(join(folder, 'inventory', name), text)
    await writeFile(join(folder, 'config.yaml'), configText(options.config ?? '', options.provider ?? '{provider: file, path: inventory}'))
    const pair = new Pair(folder, options)
    try {
      await pair.ready()
      return pair
    } catch (error) {
      await pair.close()
      throw error
    }
  }

  private constructor (folder: string, { logLevel = 'debug', controlArguments = [], statePath }: PairOptions) {
    this.folder = folder
    this.#controlArguments = controlArguments
    this.#env = { CONFIG_PATH: join(folder, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(folder, 'proxy.sock'), LOG_LEVEL: logLevel, ...statePath === undefined ? {} : { UDP_DIRECTOR_STATE: statePath } }
    this.rpc = createRpcClient({ socketPath: this.#env['UDP_DIRECTOR_SOCKET']!, deadlineMs: PATIENCE_MS, maxInFlight: 50, clock: systemClock })
    this.proxy = spawnApp('proxy', this.#env)
    this.control = this.#spawnControl()
  }

  /** Resolves when both listen and control is synchronised with the proxy. */
  async ready (): Promise<void> {
    const [proxyLine, controlLine] = await Promise.all([this.proxy.line('Proxy listening'), this.control.line('Control listening')])
    this.dataPorts = proxyLine['dataPorts'] as Record<string, number>
    this.queryPort = controlLine['queryPort'] as number
    this.adminPort = controlLine['adminPort'] as number
    await this.until(async () => (await this.admin('GET', '/readyz')).status === 200)
  }

  /** Starts control again after its end, and waits until it is synchronised. */
  async restartControl (): Promise<void> {
    await this.control.ended
    this.control = this.#spawnControl()
    await this.ready()
  }

  async restartProxy (): Promise<void> {
    await this.proxy.ended
    this.proxy = spawnApp('proxy', this.#env)
    await this.ready()
  }

  async restartBoth (): Promise<void> {
    await Promise.all([this.proxy.ended, this.control.ended])
    this.proxy = spawnApp('proxy', this.#env)
    this.control = this.#spawnControl()
    await this.ready()
  }

  async admin (method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await request(this.adminPort, method, path, body)
  }

  async public (method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await request(this.queryPort, method, path, body)
  }

  /** The proxy's counters and gauges. */
  async samples (): Promise<readonly Sample[]> {
    const stats = await this.rpc.call('stats', {})
    if (!stats.ok) throw new Error(stats.error.message)
    return stats.value.samples
  }

  /** Asks until the answer is true; a process that is just starting may refuse connections. */
  async until (holds: () => Promise<boolean> | boolean): Promise<void> {
    await until(holds, { mayFail: true })
  }

  async close (): Promise<void> {
    await this.rpc.close()
    this.control.kill('SIGKILL')
    this.proxy.kill('SIGKILL')
    await Promise.all([this.control.ended, this.proxy.ended])
    await rm(this.folder, { recursive: true })
  }

  #spawnControl (): Spawned {
    return spawnApp('control', this.#env, { nodeArguments: this.#controlArguments })
  }
}

// A query waits for the proxy as long as it may, and a token for its client: a busy machine is no reason to refuse one.
const PATIENT_LIMITS = 'pushDeadlineMs: 60000'
const PATIENT_TTL = 'tokenTtlSeconds: 3600'

function configText (lines: string, provider: string): string {
  return `
bindAddress: 127.0.0.1
queryPort: 0
adminPort: 0
dataPorts: [{name: game, port: 0}, {name: voice, port: 0}]
inventory: ${provider}
allowedTargets: [127.0.0.0/8]
${/^drainTimeoutSeconds:/m.test(lines) ? '' : 'drainTimeoutSeconds: 0'}
${/^tokenTtlSeconds:/m.test(lines) ? '' : PATIENT_TTL}
${/^limits:/m.test(lines) ? '' : `limits: {${PATIENT_LIMITS}}`}
resourceQueryMapping:
  gameserver:
    group: agones.dev
    version: v1
    resource: gameservers
    addressPath: status.address
    ports: [{name: game, portName: game}, {name: voice, portName: voice}]
${lines.replace(/^limits: \{/m, `limits: {${PATIENT_LIMITS}, `)}
`
}

async function request (port: number, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text }
}

/** A GameServer as Agones writes it, as far as the director looks. */
export function gameServerYaml (name: string, ports: Readonly<Record<string, number>>, extra: { state?: string, labels?: Readonly<Record<string, string>>, address?: string } = {}): string {
  return `
apiVersion: agones.dev/v1
kind: GameServer
metadata:
  name: ${name}
  namespace: games
  labels: ${JSON.stringify(extra.labels ?? {})}
status:
  state: ${extra.state ?? 'Allocated'}
  address: ${extra.address ?? '127.0.0.1'}
  ports: ${JSON.stringify(Object.entries(ports).map(([port, number]) => ({ name: port, port: number })))}
---
`
}
