// Numbers of ports. The system gives out those of one range, to anybody who binds port 0, at any moment: a director that is
// started again may find its former port with somebody's socket, and a client at another loopback address may get the number
// of one of the director's own ports, which makes it the director to itself (`source_port`). So our sockets and programs have
// numbers below that range, which nobody gets who does not ask for them:
//
//   10,000  claimed ones: told to programs, which bind them later   29,000  sockets of the testkit   32,768  the system's
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { platform } from 'node:os'

const CLAIMS = { from: 10_000, below: 29_000 } as const
const TRIES = 1000

/** The first port of those that the system chooses from: ip(7), ip_local_port_range. */
const firstOfTheSystem = ((): number => {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  } catch { // not Linux: IANA's range (RFC 6335)
    return 49_152
  }
})()

/** A port for a socket that is bound at once; 0, the system's choice, where its range leaves no others. */
export function portForSocket (): number {
  return numberFrom(CLAIMS.below, firstOfTheSystem)
}

export interface Claim {
  /** Nobody has it, for TCP or UDP, at any address. Nobody else of ours gets it before `release`. */
  readonly port: number
  readonly release: () => void
}

/** Claims a port, to be told to a program that binds it later. Held until this process ends, if it is not released. */
export async function claimPort (): Promise<Claim> {
  const { ports: [port], release } = await claimPorts([0])
  return { port: port!, release }
}

/** The same for several ports that are this far above the first one. */
export async function claimPorts (distances: readonly number[]): Promise<{ readonly ports: readonly number[], readonly release: () => void }> {
  for (let tries = 0; tries < TRIES; tries++) {
    const first = numberFrom(CLAIMS.from, Math.min(CLAIMS.below, firstOfTheSystem) - Math.max(...distances))
    const ports = distances.map(distance => first + distance)
    const marks: Server[] = []
    const release = (): void => { for (const mark of marks.splice(0)) mark.close() }
    if (await areAll(ports, async port => await mark(port, marks) && await isFree(port))) return { ports, release }
    release()
  }
  throw new Error('no ports are free')
}

async function areAll (ports: readonly number[], holds: (port: number) => Promise<boolean>): Promise<boolean> {
  for (const port of ports) if (port !== 0 && !await holds(port)) return false
  return true
}

// A name that one process at a time can have, and that goes with it: an abstract Unix socket, unix(7). The port itself stays free.
async function mark (port: number, marks: Server[]): Promise<boolean> {
  if (platform() !== 'linux') return true
  const server = createServer()
  const isOurs = await opened(server, () => { server.listen(`\0udp-director-port-${port}`) })
  if (isOurs) marks.push(server.unref())
  return isOurs
}

async function isFree (port: number): Promise<boolean> {
  const tcp = createServer()
  const udp = createSocket('udp4')
  const isFree = await opened(tcp, () => { tcp.listen(port) }) && await opened(udp, () => { udp.bind(port) })
  if (tcp.listening) await new Promise<void>(resolve => { tcp.close(() => { resolve() }) })
  await new Promise<void>(resolve => { udp.close(() => { resolve() }) })
  return isFree
}

async function opened (opening: NodeJS.EventEmitter, open: () => void): Promise<boolean> {
  const listening = once(opening, 'listening').then(() => true, () => false)
  open()
  return await listening
}

function numberFrom (from: number, below: number): number {
  return below <= from ? 0 : from + Math.floor(Math.random() * (below - from))
}
