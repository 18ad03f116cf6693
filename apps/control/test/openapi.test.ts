// The document as its readers use it: generators, validators, people who paste its examples.
import openapiTypescript, { astToString } from 'openapi-typescript'
import t from 'tap'
import { errors } from '../src/errors.js'
import { openapiDocument } from '../src/openapi.js'
import { ask, gameServer, startRig } from './routes/rig.js'

type Json = Record<string, unknown>

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: string[]
  readonly parameters?: Array<{ name: string, in: string, required: boolean, schema: Json, description?: string }>
  readonly requestBody?: { content: Record<string, { schema: { $ref: string } }> }
  readonly responses: Record<string, { description: string, content?: Record<string, { schema: Json, examples?: Record<string, { value: Json }> }>, headers?: Json }>
}

interface Document {
  readonly openapi: string
  readonly info: { title: string, version: string }
  readonly servers: Array<{ url: string }>
  readonly tags: Array<{ name: string }>
  readonly paths: Record<string, Record<string, Operation> & { servers?: Array<{ url: string }> }>
  readonly components: { schemas: Record<string, Json & { examples?: unknown[], oneOf?: Json[], properties?: Record<string, Json> }> }
}

const document = await openapiDocument() as unknown as Document

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([key]) => key !== 'servers').map(([method, operation]) => ({ path, method, operation: operation as Operation })))

/** Every `$ref` below a value. */
function refsIn (value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => key === '$ref' ? [String(part)] : refsIn(part))
}

/** Every key below a value. */
function keysIn (value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => [key, ...keysIn(part)])
}

void t.test('it is OpenAPI 3.1, whole, and the same at every call', async t => {
  t.equal(document.openapi, '3.1.0')
  t.match(document.info, { title: 'UDP Director', version: /^\d+\.\d+\.\d+$/ })
  t.strictSame(document.tags.map(({ name }) => name), ['public', 'admin'])
  t.strictSame(await openapiDocument(), document)
  t.equal(JSON.stringify(await openapiDocument()), JSON.stringify(document), 'in the same order too')
  for (const ref of refsIn(document)) {
    t.equal(ref.startsWith('#/components/schemas/'), true, ref)
    t.equal(ref.slice('#/components/schemas/'.length) in document.components.schemas, true, ref)
  }
  for (const foreign of ['$id', 'if', 'then', 'nullable']) t.equal(keysIn(document).includes(foreign), false, foreign)
})

void t.test('every operation has a unique id, a summary, a tag, and its path parameters', async t => {
  const ids = operations.map(({ operation }) => operation.operationId)
  t.strictSame([...new Set(ids)], ids)
  t.strictSame([...ids].sort(), ['endSession', 'getApiDocument', 'getConfig', 'getHealth', 'getLiveness', 'getMetrics', 'getReadiness', 'getSession', 'issueToken', 'listSessions', 'listTargets', 'moveSession', 'query', 'revokeToken'])
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`
    t.match(operation.summary, /\.$/, name)
    t.equal(operation.tags.length, 1, name)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    t.strictSame((operation.parameters ?? []).filter(parameter => parameter.in === 'path').map(parameter => parameter.name), inPath, name)
    t.equal(document.paths[path]?.servers?.[0]?.url, operation.tags[0] === 'admin' ? 'http://localhost:9090' : undefined, name)
  }
})

void t.test('components are named for what they are', async t => {
  for (const name of Object.keys(document.components.schemas)) t.match(name, /^[A-Z][A-Za-z]+$/, name)
  t.match(Object.keys(document.components.schemas), ['AddressTarget', 'AddressTokenRequest', 'Config', 'DataPort', 'Health', 'IssuedToken', 'Liveness', 'NamedTarget', 'NamedTokenRequest', 'Problem', 'QueryRequest', 'Readiness', 'Session', 'SessionsPage', 'StatusQuery', 'Target', 'TargetLoad', 'TargetRequest', 'TargetsPage', 'TokenRequest'])
  t.strictSame(document.components.schemas['TokenRequest']?.oneOf, [{ $ref: '#/components/schemas/NamedTokenRequest' }, { $ref: '#/components/schemas/AddressTokenRequest' }])
})

void t.test('every error is a problem with a code of the table, with an example and, where it helps, Retry-After', async t => {
  const told = new Set<string>()
  for (const { path, method, operation } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const name = `${method} ${path} ${status}`
      t.not(response.description, 'Default Response', name)
      if (Number(status) < 400 || (status === '503' && /^\/(readyz|healthz)$/.test(path))) continue
      const media = response.content?.['application/problem+json']
      t.strictSame(Object.keys(response.content ?? {}), ['application/problem+json'], name)
      t.strictSame(media?.schema, { $ref: '#/components/schemas/Problem' }, name)
      for (const [code, example] of Object.entries(media?.examples ?? {})) {
        told.add(code)
        t.match(example.value, { code, status: Number(status), type: `urn:udp-director:error:${code}` }, name)
      }
      t.equal(response.headers !== undefined, status === '503' || status === '429', name)
    }
  }
  t.strictSame([...told, 'NOT_FOUND'].sort(), Object.keys(errors).sort(), 'every code of the table is documented somewhere; NOT_FOUND is that of no operation')
})

void t.test('openapi-typescript makes types of it', async t => {
  const types = astToString(await openapiTypescript(structuredClone(document) as never, { silent: true }))
  for (const name of ['query: {', 'issueToken: {', 'QueryRequest: {', 'IssuedToken: {', 'TokenRequest: components["schemas"]["NamedTokenRequest"] | components["schemas"]["AddressTokenRequest"]']) {
    t.equal(types.includes(name), true, name)
  }
})

void t.test('every example of a request is accepted', async t => {
  const { open, admin, proxy } = await startRig(t, {
    objects: [gameServer('dust2-7xkqp', '10.0.3.17', { labels: { 'agones.dev/fleet': 'my-fleet', map: 'de_dust2' }, state: 'Allocated' })]
  })
  const target = { key: 'x', address: '10.0.0.1', ports: { default: 1 } }
  proxy.sessions.set('1', { id: '1', client: '203.0.113.9:1', target, origin: 'token', ageMs: 1, idleMs: 1, datagramsToTarget: 0, bytesToTarget: 0, datagramsToClient: 0, bytesToClient: 0 })
  let accepted = 0
  for (const { path, method, operation } of operations) {
    const ref = operation.requestBody?.content['application/json']?.schema.$ref
    if (ref === undefined) continue
    const examples = document.components.schemas[ref.split('/').at(-1)!]?.examples ?? []
    t.ok(examples.length > 0, `${method} ${path} has examples`)
    for (const example of examples) {
      const answer = await ask(path === '/query' ? open : admin, method.toUpperCase() as 'POST', path.replace('{id}', '1'), example)
      t.ok(answer.status < 300, `${method} ${path} ${JSON.stringify(example)}: ${answer.text}`)
      accepted++
    }
  }
  t.equal(accepted, 6)
})
