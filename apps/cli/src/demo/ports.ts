// The demo's ports, before it starts: which are taken, and what to do about it.
import { MAX_PORT_OFFSET } from '../command-line/commands.js'
import { busyPortsText, findBusyPorts, type BusyPort } from '../ports/busy-ports.js'
import { HOST, type Ports } from './world.js'

/** Those of `ports` that cannot be had, all of them. */
export async function findBusyDemoPorts ({ query, admin, data }: Ports): Promise<readonly BusyPort[]> {
  const tcp = [query, admin].map((port, at) => ({ protocol: 'TCP', address: HOST, port, key: `HTTP ${at}` } as const))
  return await findBusyPorts([...tcp, { protocol: 'UDP', address: HOST, port: data, key: 'data' }])
}

/** What to tell whoever started the demo; `offset` is the one that did not work. */
export function busyDemoPortsText (busy: readonly BusyPort[], offset: number): string {
  const other = offset + 100 <= MAX_PORT_OFFSET ? offset + 100 : offset - 100
  return `${busyPortsText(busy)}Stop that process, or shift all ports with --port-offset:
  npm start -- --port-offset ${other}    (or: udp-director up --port-offset ${other})
`
}
