// `npm run e2e [-- [--long] SUITE…]`: the director between programs that nobody here wrote, and the README's own words, run as they stand.
import { ExitCode } from '#core/exit-code.js'
import { helpText, readCommandLine } from '#testkit/command-line.js'
import { endOnSignal } from '#testkit/processes/child.js'
import { Checks } from './checks.js'
import { addresses } from './suites/addresses.js'
import { dns } from './suites/dns.js'
import { integrity } from './suites/integrity.js'
import { paths } from './suites/paths.js'
import { quake } from './suites/quake.js'
import { readme } from './suites/readme.js'
import { replicas } from './suites/replicas.js'
import { sdk } from './suites/sdk.js'

const suites = { dns, quake, integrity, addresses, paths, replicas, readme, sdk }
const options = { long: { help: 'also what takes minutes' } } as const
const help = helpText(['npm run e2e -- [--long] [SUITE…]', '', ...Object.entries(suites).map(([name, suite]) => `  ${name.padEnd(22)}${suite.name}`)], options)
const asked = readCommandLine(process.argv.slice(2), options, ({ long }, words) => {
  const unknown = words.find(name => !Object.hasOwn(suites, name))
  if (unknown !== undefined) throw new Error(`there is no suite ${unknown}; there are ${Object.keys(suites).join(', ')}`)
  return { names: words, isLong: long === true }
}, { hasWords: true })
if (!asked.ok) {
  process.stderr.write(`${asked.error}
`)
  process.exit(ExitCode.usage)
}
if (asked.value === undefined) {
  process.stdout.write(`${help}
`)
  process.exit(ExitCode.ok)
}
const { names, isLong } = asked.value
const checks = new Checks(isLong)
endOnSignal()
for (const [name, suite] of Object.entries(suites)) if (names.length === 0 || names.includes(name)) await checks.run(suite)
// Not exitCode: a check that timed out may have left a socket open.
process.exit(checks.close() ? 0 : 1)
