// A running director for a suite: `serve` with a configuration and an inventory of its own, on ports that were free.
import { createServer } from 'node:net'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { openUdpPeer } from '#testkit/udp-peer.js'
import { eventually } from './checks.js'
import { start, type Child } from './children.js'

/** The repository's root: this file runs as dist/e2e/director.js. */
export const root = join(import.meta.dirname, '../..')

/** The command's compiled entry. */
export const commandPath = join(root, 'dist/apps/cli/src/main.js')

const NAMESPACE = 'e2e'

export interface TargetPlace {
  readonly name: string
  readonly address: string
  readonly port: number
}

export interface Director {
  readonly dataPort: number
  readonly queryUrl: string
  readonly adminUrl: string
  readonly process: Child
  /** Asks for a token for the target of this name. */
  readonly query: (target: string) => Promise<string>
}

/** A TCP port that was free a moment ago. */
export async function freeTcpPort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no TCP port is free')
  return address.port
}

/** A UDP port of a loopback address that was free a moment ago. */
export async function freeUdpPort (family: 4 | 6 = 4): Promise<number> {
  const peer = await openUdpPeer(family)
  await peer.close()
  return peer.port
}

/**
 * Starts a director that knows `targets` and sends clients without a token to the first of them.
 * @param more keys of the configuration
 */
export async function startDirector (folder: string, targets: readonly TargetPlace[], more: object = {}): Promise<Director> {
  const [queryPort, adminPort, dataPort] = [await freeTcpPort(), await freeTcpPort(), await freeUdpPort()]
  const config = join(folder, 'config.yaml')
  await mkdir(join(folder, 'inventory'))
  await writeFile(join(folder, 'inventory/servers.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: targets.map(gameServer) }))
  // JSON is YAML.
  await writeFile(config, JSON.stringify({
    queryPort,
    adminPort,
    dataPorts: [{ name: 'default', port: dataPort }],
    drainTimeoutSeconds: 0,
    inventory: { provider: 'file', path: './inventory' },
    // Each question is the first datagram of a session, and its answer is longer.
    limits: { amplificationFactor: 0 },
    allowedTargets: ['127.0.0.0/8', '::1/128'],
    resourceQueryMapping: { server: { group: 'agones.dev', version: 'v1', resource: 'gameservers', addressPath: 'status.address', portName: 'default' } },
    defaultEndpoint: { resourceType: 'server', namespace: NAMESPACE, labelSelector: { name: targets[0]?.name ?? '' } },
    ...more
  }))
  const process = start('director', globalThis.process.execPath, [commandPath, 'serve', '--config', config, END_WITH_PARENT], {
    isHeld: true,
    env: { UDP_DIRECTOR_SOCKET: join(folder, 'proxy.sock') }
  })
  const queryUrl = `http://127.0.0.1:${queryPort}`
  await untilReady(process, queryUrl)
  return { dataPort, queryUrl, adminUrl: `http://127.0.0.1:${adminPort}`, process, query: async target => await query(queryUrl, target) }
}

/** Waits until the director at `url` answers queries; throws, with what it wrote, when it ends or takes too long. */
export async function untilReady (process: Child, url: string): Promise<void> {
  const state = await eventually('The director', async () => {
    if (!process.isRunning()) return 'ended'
    return (await fetch(`${url}/readyz`)).ok ? 'ready' : undefined
  }).catch((error: unknown) => String(error))
  if (state !== 'ready') throw new Error(`${process.name}: ${state}\n${process.output()}`)
}

async function query (url: string, target: string): Promise<string> {
  const body = JSON.stringify({ resourceType: 'server', namespace: NAMESPACE, labelSelector: { name: target } })
  const answer = await fetch(`${url}/query`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`the query was answered ${answer.status}: ${text}`)
  return (JSON.parse(text) as { token: string }).token
}

function gameServer ({ name, address, port }: TargetPlace): object {
  return {
    apiVersion: 'agones.dev/v1',
    kind: 'GameServer',
    metadata: { name, namespace: NAMESPACE, labels: { name } },
    status: { state: 'Ready', address, ports: [{ name: 'default', port }] }
  }
}
