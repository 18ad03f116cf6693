// From the configuration to what iovalkey is opened with. What is not said here is what was measured: nothing waits in a queue while
// there is no connection, nothing is sent twice, and a connection that says nothing for a second is given up.
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'iovalkey'
import type { SharedState } from '#config/schema.js'
import { storeAddress } from '#config/load/store-address.js'
import { scripts, type ScriptName } from '../scripts.js'
import type { Secrets } from './secrets.js'

/** The part of iovalkey that is used; it is imported when a store is opened. */
export interface Iovalkey {
  readonly Redis: typeof Redis
  readonly Cluster: typeof Cluster
}

export type Client = Redis | Cluster

/** A connection with commands under way that says nothing for so long is given up, in ms. */
export const SILENCE_MS = 1000

/** To connect, TLS and all, in ms. */
const CONNECT_MS = 2000

/** The longest wait before another attempt, in ms: a store that is back is found at once, and a refused connection costs next to nothing. */
const LAST_RETRY_MS = 500

/** Before attempt `attempt` (1 and up): 25 to 50 ms, doubling up to 500. `random` is in [0, 1). */
export function retryMs (attempt: number, random: number): number {
  return Math.min(LAST_RETRY_MS, 50 * 2 ** Math.min(attempt - 1, 10)) * (1 - random / 2)
}

/** Options of one connection, which change with `secrets` while it is open: see `renew`. */
export function connectionOptions (sharedState: SharedState, secrets: Secrets, random: () => number): RedisOptions {
  const { mode, urls, sentinelName, sentinelUsername } = sharedState
  const addresses = urls.map(url => storeAddress(url, mode)).flatMap(address => address.ok ? [address.value] : [])
  const retryStrategy = (attempt: number): number => retryMs(attempt, random())
  const [first] = addresses
  const tls = first?.isTls === true ? {} : undefined
  const options: RedisOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    retryStrategy,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disconnectTimeout: SILENCE_MS,
    keepAlive: 30_000,
    // Both families, the quicker one first: Node's own way (RFC 8305) in place of the library's.
    family: 0,
    familyFallback: { enabled: false },
    // What was a primary is a replica now: there is another one, at the same name or by the sentinels' word.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    ...(tls !== undefined && { tls }),
    ...(mode === 'sentinel'
      ? {
          sentinels: addresses.map(({ host, port }) => ({ host, port })),
          name: sentinelName!,
          sentinelRetryStrategy: retryStrategy,
          sentinelCommandTimeout: SILENCE_MS,
          ...(tls !== undefined && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
          ...(sentinelUsername !== undefined && { sentinelUsername })
        }
      : { host: first!.host, port: first!.port })
  }
  renew(options, sharedState, secrets)
  return options
}

/** Puts what the files say now into options that are in use: iovalkey reads them for each connection. */
export function renew (options: RedisOptions, { username, serverName }: SharedState, secrets: Secrets): void {
  const { passwordFile, sentinelPasswordFile, caFile, certFile, keyFile } = secrets
  // A user without a password (`nopass`) takes any.
  if (username !== undefined) Object.assign(options, { username, password: passwordFile ?? '' })
  else if (passwordFile !== undefined) options.password = passwordFile
  if (sentinelPasswordFile !== undefined) options.sentinelPassword = sentinelPasswordFile
  if (options.tls !== undefined) {
    Object.assign(options.tls, {
      ...(caFile !== undefined && { ca: caFile }),
      ...(certFile !== undefined && { cert: certFile }),
      ...(keyFile !== undefined && { key: keyFile }),
      ...(serverName !== undefined && { servername: serverName })
    })
  }
}

/** A client that has the scripts and is not connected yet. */
export function createClient ({ Redis, Cluster }: Iovalkey, sharedState: SharedState, options: RedisOptions): Client {
  const client = sharedState.mode === 'cluster' ? new Cluster(clusterNodes(sharedState), clusterOptions(options)) : new Redis(options)
  for (const [name, { lua, keys }] of Object.entries(scripts)) if (lua !== undefined) client.defineCommand(commandOf(name as ScriptName), { lua, numberOfKeys: keys })
  return client
}

/** What a script is called as a command of a client: some of our names are commands of the store. */
export function commandOf (script: ScriptName): string {
  return `run:${script}`
}

function clusterNodes ({ urls, mode }: SharedState): Array<{ host: string, port: number }> {
  return urls.flatMap(url => {
    const address = storeAddress(url, mode)
    return address.ok ? [{ host: address.value.host, port: address.value.port }] : []
  })
}

function clusterOptions (options: RedisOptions): ClusterOptions {
  const { host: _host, port: _port, retryStrategy, lazyConnect: _lazyConnect, enableOfflineQueue: _enableOfflineQueue, reconnectOnError: _reconnectOnError, ...redisOptions } = options
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    redisOptions,
    clusterRetryStrategy: attempt => (retryStrategy as (attempt: number) => number)(attempt),
    slotsRefreshTimeout: SILENCE_MS,
    // Found again within a second of a primary's end, without asking all the time.
    slotsRefreshInterval: 5000,
    // Names stay names where there is TLS: certificates are made out to them.
    ...(redisOptions.tls !== undefined && { dnsLookup: (name, done) => { done(null, name) } })
  }
}
