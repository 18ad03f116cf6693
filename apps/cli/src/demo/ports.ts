// Looks whether ports are free, before anything is started that would have to be taken down again.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { MAX_PORT_OFFSET } from '../command-line/commands.js'
import { HOST, type Ports } from './world.js'

type Protocol = 'TCP' | 'UDP'

export interface BusyPort {
  readonly protocol: Protocol
  readonly port: number
  /** The system's reason: EADDRINUSE, EACCES, … */
  readonly code: string
}

/** Those of `ports` that cannot be had, all of them. */
export async function findBusyPorts ({ query, admin, data }: Ports): Promise<readonly BusyPort[]> {
  const wanted: ReadonlyArray<readonly [Protocol, number]> = [['TCP', query], ['TCP', admin], ['UDP', data]]
  const looked = await Promise.all(wanted.map(async ([protocol, port]) => ({ protocol, port, code: await faultOf(protocol, port) })))
  return looked.flatMap(({ code, ...port }) => code === undefined ? [] : [{ ...port, code }])
}

/** What to tell whoever started the demo; `offset` is the one that did not work. */
export function busyPortsText (busy: readonly BusyPort[], offset: number): string {
  const lines = busy.map(({ protocol, port, code }) => code === 'EADDRINUSE'
    ? `${protocol} port ${port} is taken by another process.`
    : `${protocol} port ${port} cannot be opened (${code}).`)
  const other = offset + 100 <= MAX_PORT_OFFSET ? offset + 100 : offset - 100
  return `${lines.join('\n')}
Stop that process, or shift all ports with --port-offset:
  npm start -- --port-offset ${other}    (or: udp-director up --port-offset ${other})
`
}

async function faultOf (protocol: Protocol, port: number): Promise<string | undefined> {
  try {
    await (protocol === 'TCP' ? tryTcp(port) : tryUdp(port))
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function tryTcp (port: number): Promise<void> {
  const server = createServer()
  server.listen({ port, host: HOST, exclusive: true })
  await once(server, 'listening')
  await new Promise<void>(resolve => { server.close(() => { resolve() }) })
}

async function tryUdp (port: number): Promise<void> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ port, address: HOST, exclusive: true })
    await once(socket, 'listening')
  } finally {
    await new Promise<void>(resolve => { socket.close(() => { resolve() }) })
  }
}
