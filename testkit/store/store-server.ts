// Real servers for tests: `redis-server` where it is installed, or what STORE_SERVER names (a valkey-server, for one).
import { readFileSync } from 'node:fs'
import { Redis } from 'iovalkey'
import type { Test } from 'tap'
import { openFolder } from '../folder.js'
import { until } from '../patience.js'
import { claimPort } from '../ports.js'
import { startChild, type Child } from '../processes/child.js'
import { findOnPath, isExecutable } from '../processes/find-program.js'

/** The program; undefined: there is none, and tests that need it are skipped. */
export const serverProgram: string | undefined = [process.env['STORE_SERVER'], findOnPath('redis-server'), findOnPath('valkey-server')]
  .find(path => path !== undefined && isExecutable(path))

/** For tests that need a server. */
export const withServer = { skip: serverProgram === undefined ? 'redis-server is not installed' : false } as const

export interface ServerOptions {
  /** Lines of its configuration, in order: name and value in turn, with two dashes before the name. */
  readonly settings?: readonly string[]
  readonly port?: number
  /** It speaks only TLS, on `port`. */
  readonly tls?: { readonly ca: string, readonly cert: string, readonly key: string }
  readonly isSentinel?: boolean
  /** For `command`. */
  readonly password?: string
}

export interface StoreServer {
  readonly port: number
  /** Of a node of a cluster: where other nodes speak with it. */
  readonly busPort: number | undefined
  readonly child: Child
  /** Asks it, as an administrator. */
  readonly command: (...words: readonly string[]) => Promise<unknown>
  /** Ends it, with everything it has. */
  readonly kill: () => Promise<void>
}

/** Starts one and waits until it answers. It ends with the test. */
export async function startServer (t: Test, { settings = [], port, tls, isSentinel = false, password }: ServerOptions = {}): Promise<StoreServer> {
  const folder = openFolder()
  const own = port ?? (await claimPort()).port
  const ports = tls === undefined
    ? ['--port', String(own)]
    : ['--port', '0', '--tls-port', String(own), '--tls-ca-cert-file', tls.ca, '--tls-cert-file', tls.cert, '--tls-key-file', tls.key]
  // By itself it would be 10,000 above, among the numbers that the system gives to anybody.
  const busPort = settings.includes('--cluster-enabled') ? (await claimPort()).port : undefined
  const bus = busPort === undefined ? [] : ['--cluster-port', String(busPort)]
  const mode = isSentinel ? ['--sentinel'] : ['--save', '', '--appendonly', 'no', ...bus]
  const child = startChild(isSentinel ? 'sentinel' : 'store', serverProgram!, [...isSentinel ? [folder.write('sentinel.conf', '')] : [], ...ports, '--bind', '127.0.0.1', '--dir', folder.path, ...mode, ...settings])
  const admin = new Redis({
    port: own,
    host: '127.0.0.1',
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: { ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) } })
  })
  admin.on('error', () => undefined) // it is not there yet, or no more
  const command = async (...words: readonly string[]): Promise<unknown> => await admin.call(words[0]!, ...words.slice(1))
  const kill = async (): Promise<void> => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await child.ended
  }
  t.teardown(async () => {
    admin.disconnect()
    await kill()
    folder.close()
  })
  admin.connect().catch(() => undefined) // tried again
  await Promise.race([
    until(async () => await command('PING') === 'PONG', { what: () => `the server: ${child.output()}` }),
    child.ended.then(() => { throw new Error(`the server ended: ${child.output()}`) })
  ])
  return { port: own, busPort, child, command, kill }
}
