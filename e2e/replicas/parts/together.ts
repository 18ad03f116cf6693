// Three directors that share a store which is there all the time.
import { Store } from '../store.js'
import { withFleet, type Lab } from '../lab.js'
import { STORE_PORT } from '../places.js'
import { costs } from './costs.js'
import { severalDataPorts } from './data-ports.js'
import { games } from './games.js'
import { moves } from './moves.js'
import { tokens } from './tokens.js'

// Nothing here is about a store that is slow, and this machine may be: its answers are waited for.
const patient = { storeDeadlineMs: 10_000 }

export async function together (lab: Lab): Promise<void> {
  const store = await Store.open(lab.folder, STORE_PORT)
  await withFleet(lab, { sharedState: { provider: 'valkey', urls: [store.url] }, limits: patient }, async fleet => {
    await moves(lab, fleet)
    await severalDataPorts(lab, fleet)
    await tokens(lab, fleet)
    await costs(lab, fleet)
    await games(lab, fleet)
  })
  await store.close()
}
