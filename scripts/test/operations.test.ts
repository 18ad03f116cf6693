// docs/operations.md and docs/security.md against the code: what they name exists and is called so.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatFaults } from '#config/fault.js'
import { parseConfig } from '#config/load/load-config.js'
import { configKeys } from './config-keys.js'
import { metrics } from '#telemetry/metrics-table.js'
import { errors } from '../../apps/control/src/http/problems/errors.js'
import { dropReasons } from '../../apps/proxy/src/core/ledger/drop-reason.js'

const read = (path: string): string => readFileSync(path, 'utf8')
const operations = read('docs/operations.md')
const security = read('docs/security.md')

/** What stands in backquotes, outside of blocks. */
const spans = (page: string): string[] => [...page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
/** Names of invariants, which simulation/test/invariants.test.ts compares with those there are. */
const invariantsIn = (page: string): string[] => [...page.matchAll(/invariants?\s+((?:`\w+`(?:,?\s+)?)+)/g)].flatMap(([, list = '']) => spans(list))
const section = (page: string, heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''

void t.test('drop reasons, error codes and metrics are those of the tables', async t => {
  const reasons = Object.values(dropReasons).map(({ name }): string => name)
  const named = [...section(operations, 'Drop reasons').matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) => spans(cell))
  t.ok(named.length > 15)
  t.strictSame(named.filter(name => !reasons.includes(name)), [])
  t.strictSame(reasons.filter(name => !named.includes(name)).sort(), ['bad_source', 'token_malformed', 'truncated'], 'about these nobody can do anything')
  const answers = [...section(operations, 'Answers of the HTTP APIs').matchAll(/^\| (\d{3}) (`.*?`) \|/gm)].flatMap(([, status, codes = '']) => spans(codes).map(code => `${status} ${code}`))
  const known = Object.entries(errors).map(([code, { status }]) => `${status} ${code}`)
  t.ok(answers.length > 8)
  t.strictSame(answers.filter(answer => !known.includes(answer)), [])
  const serious = known.filter(answer => /^(?:401|403|429|503)/.test(answer))
  t.strictSame(serious.filter(answer => !answers.includes(answer)), [], 'every answer that an operator has to do with is there')
  for (const page of [operations, security]) {
    t.strictSame([...page.matchAll(/udp_director_\w+/g)].map(([name]) => name).filter(name => !(name in metrics)), [])
    t.strictSame(spans(page).filter(span => /^[A-Z][A-Z_]+_[A-Z]+$/.test(span) && !(span in errors) && !/^(?:UDP_DIRECTOR|XDG)_/.test(span)), [])
  }
})

void t.test('keys, paths and fields are spelled as in the configuration and the API', async t => {
  const api = read('openapi/public.json') + read('openapi/admin.json') + read('docs/config.schema.json')
  const elsewhere = ['terminationGracePeriodSeconds', 'externalTrafficPolicy', 'loadBalancerSourceRanges', 'preStop', 'publishNotReadyAddresses', 'sizeLimit', 'askedBytes', 'searchNamespace']
  const invariants = invariantsIn(security)
  for (const page of [operations, security]) {
    for (const span of spans(page)) {
      const key = /^((?:[a-z]+\.)?[a-z]+(?:[A-Z][a-z]+)+(?:\.[a-zA-Z]+)?)(?::.*)?$/.exec(span)?.[1]
      if (key !== undefined && !invariants.includes(key)) t.ok(configKeys.has(key) || api.includes(`"${key}"`) || elsewhere.includes(key), `${key} is a key or a field`)
    }
    for (const [, path = ''] of page.matchAll(/(?:127\.0\.0\.1:9090|`(?:POST |GET )?)(\/[a-z]+)(?=[`?/'\s])/g)) {
      if (!['/run', '/proc', '/etc', '/dev'].includes(path)) t.ok(api.includes(`"${path}"`) || path === '/config', path)
    }
  }
})

void t.test('lines of the log are those that are logged', async t => {
  for (const page of [operations, security]) {
    for (const span of spans(page)) {
      if (/^[A-Z][a-z]+ [a-z][a-z ,…]+$/.test(span)) t.ok(sources.includes(`'${span.replace(/,? …$/, '')}`), span)
    }
  }
})

void t.test('docs/security.md names files that exist', async t => {
  const files = spans(security).filter(span => /^(?:apps|libs|test|simulation|fuzz|scripts|bench)\/\S+$/.test(span))
  t.ok(files.length > 20)
  for (const file of files) t.ok(existsSync(file), file)
  const threats = [...section(security, 'Threats').matchAll(/^### (.*)$/gm)].map(([, heading = '']) => heading)
  for (const threat of threats) t.match(section(security, 'In short'), `(#${threat.toLowerCase().replaceAll(/[^a-z ]/g, '').replaceAll(' ', '-')})`, threat)
})

void t.test('the hardened configuration loads and is hardened', async t => {
  const [, yaml = ''] = /^```yaml\n(# hardened\.yaml\n[\s\S]*?)^```$/m.exec(security) ?? []
  const loaded = parseConfig(yaml, '/etc/udp-director/hardened.yaml')
  if (!loaded.ok) {
    t.fail(formatFaults('hardened.yaml', loaded.error))
    return
  }
  const { config } = loaded.value
  t.equal(config.defaultEndpoint, undefined)
  t.match(config, { onInvalidToken: 'drop', bindClientIp: true, exposeTarget: false, queryAuth: { type: 'jwt' }, adminAuth: { type: 'keys' } })
  const defaults = parseConfig('inventory: {provider: file, path: .}', '/etc/udp-director/config.yaml')
  if (!defaults.ok) throw new Error('the defaults do not load')
  const { limits } = defaults.value.config
  for (const name of ['queriesPerSecond', 'maxTokensPerCaller', 'maxSessionsPerPrefix', 'maxBodyBytes'] as const) t.ok(config.limits[name] < limits[name], name)
})

const sources = ['apps', 'libs'].flatMap(room => (readdirSync(room, { recursive: true }) as string[])
  .filter(path => path.includes('src/') && path.endsWith('.ts')).map(path => read(join(room, path)))).join('\n')
