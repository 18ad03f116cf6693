// `npm run e2e`: the director between programs that nobody here wrote, and the README's own words, run as they stand.
import { Checks } from './checks.js'
import { endAll } from './children.js'
import { dns } from './suites/dns.js'
import { integrity } from './suites/integrity.js'
import { paths } from './suites/paths.js'
import { quake } from './suites/quake.js'
import { readme } from './suites/readme.js'

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => { void endAll().finally(() => process.exit(1)) })
}

const checks = new Checks()
for (const suite of [dns, quake, integrity, paths, readme]) await checks.run(suite)
// Not exitCode: a check that timed out may have left a socket open.
process.exit(checks.close() ? 0 : 1)
