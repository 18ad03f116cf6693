// The checks of suites/replicas.ts, run in a network namespace of their own. Argument: `--long` for those that take minutes, too.
import { endAll, endOnSignal } from '#testkit/processes/child.js'
import { check } from '../inside.js'
import { alone } from './alone.js'
import { openLab, type Lab } from './lab.js'

const parts: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  'nothing shared': alone
}

endOnSignal()
const lab = await openLab(process.argv.includes('--long'))
for (const [name, part] of Object.entries(parts)) {
  try {
    await part(lab)
  } catch (error) {
    await check(`${name}: all of it`, async () => { throw error })
  }
}
await endAll()
process.exit(0)
