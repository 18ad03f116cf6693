// Our proxy as it is built, told over its Unix socket what control would tell it.
import { setTimeout as sleep } from 'node:timers/promises'
import { ANY_ADDRESS } from '#config/bind-addresses.js'
import { err, ok, type Result } from '#core/result.js'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { Hello, Sample, Target } from '#rpc/contract.js'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { openPrivateDirectory } from '../../../apps/cli/src/private-directory/private-directory.js'
import { start, type Child } from '../../../e2e/children.js'
import type { Endpoint } from '../endpoints.js'
import { processTree } from '../process-usage.js'
import type { Drops, Forwarder, ForwarderName, ForwarderOptions } from './forwarder.js'

export interface DirectorKind {
  readonly name: ForwarderName
  readonly engine: 'batch' | 'dgram'
  /** Of engine batch. */
  readonly workers?: number
  /** Bound to every address instead of the one that clients send to. */
  readonly isEverywhere?: boolean
}

export interface Director extends Forwarder {
  readonly pid: number
  readonly socketPath: string
  /** The value of a metric without labels, or the sum of all that match. */
  readonly metric: (name: string) => Promise<number>
}

const DATA_PORT = 'default'
const LOOPBACK = '127.0.0.1'
const START_MS = 10_000
const POLL_MS = 50
const PROXY = new URL('../../../apps/proxy/src/main.js', import.meta.url).pathname

/** Starts the proxy with this engine. An error is why it cannot be measured here. */
export async function openDirector (kind: DirectorKind, { targets, clients, prefix }: ForwarderOptions): Promise<Result<Director, string>> {
  const directory = openPrivateDirectory()
  const { socketPath } = directory
  const env = { CONFIG_PATH: directory.write('config.yaml', configFor(kind, clients)), UDP_DIRECTOR_SOCKET: socketPath, LOG_LEVEL: 'error', NODE_OPTIONS: '' }
  const [command, ...args] = [...prefix, process.execPath, PROXY, END_WITH_PARENT]
  const child = start(kind.name, command, args, { env, isHeld: true })
  const client = createRpcClient({ socketPath, deadlineMs: START_MS, maxInFlight: 4, clock: systemClock })
  const close = async (): Promise<void> => {
    await client.close()
    await child.end()
    directory.close()
  }
  const hello = await firstHello(child, client)
  const fault = hello === undefined ? sentenceFrom(child) : await fitFor(hello, kind, client, targets)
  if (hello === undefined || fault !== undefined) {
    await close()
    return err(fault ?? 'it did not start')
  }
  return ok(directorOf({ kind, hello, child, client, socketPath, close }))
}

function configFor ({ engine, workers, isEverywhere = false }: DirectorKind, clients: number): string {
  return [
    `bindAddress: '${isEverywhere ? ANY_ADDRESS : LOOPBACK}'`,
    `dataPorts: [{name: ${DATA_PORT}, port: 0}]`,
    `engine: ${engine}`,
    ...(workers === undefined ? [] : [`workers: ${workers}`]),
    'sessionTimeoutSeconds: 86400',
    'drainTimeoutSeconds: 0',
    'inventory: {provider: file, path: .}',
    'loadBalancing: {type: roundRobin}',
    // All clients are on one address, and some open more sessions a second than anybody should.
    `limits: {maxSessions: ${Math.max(100_000, clients)}, maxSessionsPerPrefix: ${Math.max(100_000, clients)}, newSessionsPerSecond: 0, amplificationFactor: 0, maxTokens: 1000000, receiveBufferBytes: 4194304}`,
    ''
  ].join('\n')
}

async function firstHello (child: Child, client: RpcClient): Promise<Hello | undefined> {
  for (const end = performance.now() + START_MS; performance.now() < end && child.isRunning();) {
    const hello = await client.call('hello', {}, { deadlineMs: POLL_MS * 10 })
    if (hello.ok) return hello.value
    await sleep(POLL_MS)
  }
  return undefined
}

// The last line of what it wrote says why it ended.
function sentenceFrom (child: Child): string {
  return child.output().trim().split('\n').at(-1) || 'it did not start'
}

async function fitFor (hello: Hello, { engine }: DirectorKind, client: RpcClient, targets: readonly Endpoint[]): Promise<string | undefined> {
  if (hello.engine !== engine) return `the proxy took the engine ${hello.engine} instead`
  const told = await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [], defaultTargets: targets.map(targetOf) } })
  return told.ok ? undefined : told.error.message
}

function targetOf ({ address, port }: Endpoint): Target {
  return { key: `address/${address}`, address, ports: { [DATA_PORT]: port } }
}

interface Parts {
  readonly kind: DirectorKind
  readonly hello: Hello
  readonly child: Child
  readonly client: RpcClient
  readonly socketPath: string
  readonly close: () => Promise<void>
}

function directorOf ({ kind: { name }, hello, client, socketPath, close, child }: Parts): Director {
  const samples = async (): Promise<readonly Sample[]> => {
    const stats = await client.call('stats', {})
    if (!stats.ok) throw new Error(`${name}: ${stats.error.message}`)
    return stats.value.samples
  }
  const metric = async (name: string): Promise<number> => (await samples()).reduce((sum, sample) => sample.name === name ? sum + sample.value : sum, 0)
  const pid = child.pid!
  return {
    name,
    pid,
    socketPath,
    entrances: hello.dataPorts.map(({ port }) => ({ address: LOOPBACK, port })),
    pids: () => processTree(pid),
    drops: async () => dropsFrom(await samples()),
    sessions: async () => await metric('udp_director_sessions_active'),
    metric,
    close
  }
}

function dropsFrom (samples: readonly Sample[]): Drops {
  const drops = new Map<string, number>()
  for (const { name, labels, value } of samples) {
    if (name !== 'udp_director_packets_dropped_total') continue
    const reason = `${labels['direction'] ?? ''} ${labels['reason'] ?? ''}`
    drops.set(reason, (drops.get(reason) ?? 0) + value)
  }
  return Object.fromEntries(drops)
}
