// The checks of suites/replicas.ts, run in a network namespace of their own. Argument: a Python that has
// aioquic; with it those are run, too, that take minutes.
import { endAll, endOnSignal } from '#testkit/processes/child.js'
import { check } from '../inside.js'
import { openLab, type Lab } from './lab.js'
import { alone } from './parts/alone.js'
import { failOver, outages } from './parts/outages.js'
import { together } from './parts/together.js'

const parts: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  'nothing shared': alone,
  'a shared store': together,
  'a store that is away': outages,
  'a store that fails over': failOver
}

endOnSignal()
const lab = await openLab(process.argv[2])
for (const [name, part] of Object.entries(parts)) {
  try {
    await part(lab)
  } catch (error) {
    await check(`${name}: all of it`, async () => { throw error })
  }
}
await endAll()
process.exit(0)
