// Our proxy as it is built, told over its Unix socket what control would tell it.
import { ANY_ADDRESS } from '#config/bind-addresses.js'
import { err, ok, type Result } from '#core/result.js'
import type { Sample, Target } from '#rpc/contract.js'
import { NotStarted } from '#testkit/director/driven.js'
import { ProxyAlone } from '#testkit/director/proxy-alone.js'
import type { Endpoint } from '../endpoints.js'
import { processTree } from '../process-usage.js'
import type { Drops, Forwarder, ForwarderName, ForwarderOptions } from './forwarder.js'

export interface ProxyKind {
  readonly name: ForwarderName
  readonly engine: 'batch' | 'dgram'
  /** Of engine batch. */
  readonly workers?: number
  /** Bound to every address instead of the one that clients send to. */
  readonly isEverywhere?: boolean
  /** Configured to share a store. There is none: the proxy does not speak with it, and nobody waits once all have a session. */
  readonly isShared?: boolean
}

export interface ProxyForwarder extends Forwarder {
  readonly pid: number
  readonly socketPath: string
  /** The value of a metric without labels, or the sum of all that match. */
  readonly metric: (name: string) => Promise<number>
}

const DATA_PORT = 'default'
const LOOPBACK = '127.0.0.1'

/** Starts the proxy with this engine. An error is why it cannot be measured here. */
export async function openProxyForwarder (kind: ProxyKind, { targets, clients, prefix }: ForwarderOptions): Promise<Result<ProxyForwarder, string>> {
  const settings = settingsOf(kind, clients)
  try {
    const proxy = await ProxyAlone.open({ settings, dataPorts: { [DATA_PORT]: 0 }, isPatient: false, logLevel: 'error', prefix, defaultTargets: targets.map(targetOf) })
    if (proxy.hello.engine === kind.engine) return ok(forwarderOf(kind, proxy))
    await proxy.close()
    return err(`the proxy took the engine ${proxy.hello.engine} instead`)
  } catch (error) {
    if (error instanceof NotStarted) return err(error.lastLine)
    throw error
  }
}

function settingsOf ({ engine, workers, isEverywhere = false, isShared = false }: ProxyKind, clients: number): Readonly<Record<string, unknown>> {
  return {
    bindAddress: isEverywhere ? ANY_ADDRESS : LOOPBACK,
    engine,
    workers,
    ...isShared ? { sharedState: { provider: 'valkey', urls: ['valkey://127.0.0.1:6379'] } } : {},
    sessionTimeoutSeconds: 86_400,
    loadBalancing: { type: 'roundRobin' },
    // All clients are on one address, and some open more sessions a second than anybody should.
    limits: { maxSessions: Math.max(100_000, clients), maxSessionsPerPrefix: Math.max(100_000, clients), newSessionsPerSecond: 0, amplificationFactor: 0, maxTokens: 1_000_000, receiveBufferBytes: 4_194_304 }
  }
}

function targetOf ({ address, port }: Endpoint): Target {
  return { key: `address/${address}`, address, ports: { [DATA_PORT]: port } }
}

function forwarderOf ({ name }: ProxyKind, proxy: ProxyAlone): ProxyForwarder {
  const { pid } = proxy.process
  return {
    name,
    pid,
    socketPath: proxy.socketPath,
    entrances: [{ address: LOOPBACK, port: proxy.dataPorts[DATA_PORT]! }],
    pids: () => processTree(pid),
    drops: async () => dropsFrom(await proxy.samples()),
    sessions: async () => await proxy.sum('udp_director_sessions_active'),
    metric: async metric => await proxy.sum(metric),
    close: async () => { await proxy.close() }
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
