// The ports of the demo, for those who start it beside whatever else is there.
import { portsFrom } from '../apps/cli/src/demo/world.js'
import { claimPorts } from './ports.js'

// The lines to paste send from this far above the data port (apps/cli/src/demo/introduction.ts).
const CLIENT = 10_000

/** Claims all of them; the demo is told `--port-offset` with `offset`. */
export async function claimDemoPorts (): Promise<{ readonly offset: number, readonly release: () => void }> {
  const { query, admin, data } = portsFrom(0)
  const { ports: [first], release } = await claimPorts([0, query - data, admin - data, CLIENT])
  return { offset: first! - data, release }
}
