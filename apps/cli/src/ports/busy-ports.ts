// Looks whether ports are free, before anything is started that would have to be taken down again. Whoever starts the
// director learns of all that are taken; each process by itself would name its first one.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { dataAddresses, listenAddresses } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'

export interface WantedPort {
  readonly protocol: 'TCP' | 'UDP'
  readonly address: string
  /** 0 is always free. */
  readonly port: number
  /** The key of the configuration that chooses it. */
  readonly key: string
}

export interface BusyPort extends WantedPort {
  /** The system's reason: EADDRINUSE, EACCES, … */
  readonly code: string
}

/** What a director with this configuration listens on. */
export function wantedPorts (config: Pick<Config, 'queryPort' | 'adminPort' | 'dataPorts' | 'bindAddress' | 'dataBindAddress'>): readonly WantedPort[] {
  return [
    ...listenAddresses(config).flatMap(address => (['queryPort', 'adminPort'] as const).map(key => ({ protocol: 'TCP', address, port: config[key], key } as const))),
    ...dataAddresses(config).flatMap(address => config.dataPorts.map(({ name, port }) => ({ protocol: 'UDP', address, port, key: `dataPorts.${name}` } as const)))
  ]
}

/** Those of `wanted` that cannot be had, all of them; one port at several addresses is told once. */
export async function findBusyPorts (wanted: readonly WantedPort[]): Promise<readonly BusyPort[]> {
  const busy = new Map<string, BusyPort>()
  for (const port of wanted) {
    const code = await faultOf(port)
    if (code !== undefined && !busy.has(port.key)) busy.set(port.key, { ...port, code })
  }
  return [...busy.values()]
}

/** A line for each: which port, and why it cannot be had. */
export function busyPortsText (busy: readonly BusyPort[]): string {
  return busy.map(({ protocol, port, code }) => code === 'EADDRINUSE'
    ? `${protocol} port ${port} is taken by another process.\n`
    : `${protocol} port ${port} cannot be opened (${code}).\n`).join('')
}

async function faultOf ({ protocol, port, address }: WantedPort): Promise<string | undefined> {
  try {
    await (protocol === 'TCP' ? tryTcp(port, address) : tryUdp(port, address))
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function tryTcp (port: number, host: string): Promise<void> {
  const server = createServer()
  server.listen({ port, host, exclusive: true })
  await once(server, 'listening')
  await new Promise<void>(resolve => { server.close(() => { resolve() }) })
}

async function tryUdp (port: number, address: string): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  try {
    socket.bind({ port, address, exclusive: true })
    await once(socket, 'listening')
  } finally {
    await new Promise<void>(resolve => { socket.close(() => { resolve() }) })
  }
}
