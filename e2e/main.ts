// `npm run e2e [-- SUITE…]`: the director between programs that nobody here wrote, and the README's own words, run as they stand.
import { ExitCode } from '#core/exit-code.js'
import { Checks } from './checks.js'
import { endAll } from './children.js'
import { addresses } from './suites/addresses.js'
import { dns } from './suites/dns.js'
import { integrity } from './suites/integrity.js'
import { paths } from './suites/paths.js'
import { quake } from './suites/quake.js'
import { readme } from './suites/readme.js'
import { sdk } from './suites/sdk.js'

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => { void endAll().finally(() => process.exit(1)) })
}

const checks = new Checks()
const suites = { dns, quake, integrity, addresses, paths, readme, sdk }
const asked = process.argv.slice(2)
const unknown = asked.find(name => !Object.hasOwn(suites, name))
if (unknown !== undefined) {
  process.stderr.write(`There is no suite ${unknown}; there are ${Object.keys(suites).join(', ')}.\n`)
  process.exit(ExitCode.usage)
}
for (const [name, suite] of Object.entries(suites)) if (asked.length === 0 || asked.includes(name)) await checks.run(suite)
// Not exitCode: a check that timed out may have left a socket open.
process.exit(checks.close() ? 0 : 1)
