// The committed documents are what the tables say, and say what the tables mean.
import Fastify from 'fastify'
import t from 'tap'
import { parse } from 'yaml'
import { rootAliases } from '#config/aliases.js'
import { parseConfig } from '#config/load/load-config.js'
import { ConfigSchema } from '#config/schema.js'
import { rpcCalls } from '#rpc/contract.js'
import { rpcErrors } from '#rpc/failure.js'
import { metrics } from '#telemetry/metrics-table.js'
import { errors } from '../../apps/control/src/http/problems/errors.js'
import { configPage, exampleConfig } from '../gen/config-page.js'
import { configJsonSchema } from '../gen/config-schema.js'
import { compareDocuments } from '../gen/drift.js'
import { errorsPage } from '../gen/errors-page.js'
import { table } from '../gen/markdown.js'
import { metricsPage } from '../gen/metrics-page.js'
import { rpcPage } from '../gen/rpc-page.js'

const root = process.cwd()

void t.test('what is committed is what would be generated', async t => {
  for (const { path, text, found } of await compareDocuments(root)) {
    t.ok(text === found, found === undefined ? `${path} is missing: npm run gen` : `${path} is up to date: npm run gen`)
  }
  const elsewhere = await compareDocuments(t.testdir({ docs: { 'errors.md': 'old' } }))
  t.equal(elsewhere.find(({ path }) => path === 'docs/errors.md')?.found, 'old')
  t.ok(elsewhere.filter(({ found }) => found === undefined).length === elsewhere.length - 1, 'a missing file is not an error')
})

void t.test('no row of a table is missing from its page', async t => {
  const pages: ReadonlyArray<readonly [page: string, keys: readonly string[]]> = [
    [configPage(), [...Object.keys(ConfigSchema.properties), ...Object.keys(ConfigSchema.properties.limits.properties), ...rootAliases.map(({ alias }) => alias)]],
    [errorsPage(), [...Object.keys(errors), ...Object.keys(rpcErrors)]],
    [await metricsPage(), Object.keys(metrics)],
    [rpcPage(), Object.values(rpcCalls).map(({ method, path }) => `${method} ${path}`)]
  ]
  for (const [page, keys] of pages) {
    const missing = keys.filter(key => !page.includes(`\`${key}\``) && !page.includes(`\`${key}\`:`))
    t.strictSame(missing, [], page.slice(0, page.indexOf('\n')))
    t.notMatch(page, /undefined|\[object|NaN/)
    for (const [, anchor = ''] of page.matchAll(/\]\(#(.*?)\)/g)) {
      const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
      t.ok(headings.includes(anchor), `#${anchor} leads somewhere`)
    }
  }
})

void t.test('labels that are closed sets have values', async t => {
  const page = await metricsPage()
  for (const value of ['operator', 'unacknowledged', 'to_client', 'retransmit', 'query', 'fault', 'no_session']) t.match(page, `\`${value}\``)
  t.notMatch(page, /\| {2}\|$/m, 'no label without values')
})

void t.test('the example in docs/config.md loads', async t => {
  const loaded = parseConfig(exampleConfig, 'config.yaml')
  t.ok(loaded.ok, 'error' in loaded ? JSON.stringify(loaded.error) : 'loads')
})

void t.test('the JSON Schema for editors takes what the loader takes', async t => {
  // Fastify's validator reads draft 7, of which the keywords used are a part; only the name of the draft differs.
  const { $schema, ...schema } = configJsonSchema()
  t.equal($schema, 'https://json-schema.org/draft/2020-12/schema')
  const app = Fastify({ ajv: { customOptions: { useDefaults: false, coerceTypes: false, removeAdditional: false } } })
  app.post('/', { schema: { body: schema } }, async () => 'taken')
  t.teardown(async () => { await app.close() })
  const takes = async (text: string): Promise<boolean> => (await app.inject({ method: 'POST', url: '/', payload: parse(text) })).statusCode === 200
  for (const text of [
    exampleConfig,
    '{}',
    '{dataPort: 7777, tokenTTLSeconds: 20}',
    'defaultEndpoint: {resourceType: a, namespace: b, statusQuery: {jsonPath: c, expectedValue: d}}'
  ]) t.equal(await takes(text), true, text)
  for (const text of [
    'tokenTTLSeconds: 0', 'dataPort: none', 'queryPrt: 1', 'dataPorts: [{name: a}]', 'resourceQueryMapping: {pod: {}}'
  ]) t.equal(await takes(text), false, text)
})

void t.test('a pipe does not end a cell', async t => {
  t.equal(table(['a'], [['`x|y`']]), '| a |\n| --- |\n| `x\\|y` |')
})
