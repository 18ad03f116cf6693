// The document as its readers use it: generators, validators, people who paste its examples.
import openapiTypescript, { astToString } from 'openapi-typescript'
import t from 'tap'
import { errors } from '../src/http/problems/errors.js'
import { listeners, type Listener } from '../src/http/listener/listener.js'
import { openapiDocument } from '../src/openapi.js'
import { isOpenRoute } from '../src/http/guards/callers.js'
import { ask, gameServer, startRig } from '#testkit/control-rig.js'

type Json = Record<string, unknown>

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: string[]
  readonly description?: string
  readonly security?: Json[]
  readonly parameters?: Array<{ name: string, in: string, required: boolean, schema: Json, description?: string }>
  readonly requestBody?: { content: Record<string, { schema: { $ref: string } }> }
  readonly responses: Record<string, { description: string, content?: Record<string, { schema: Json, examples?: Record<string, { value: Json }> }>, headers?: Json }>
}

interface Document {
  readonly openapi: string
  readonly info: { title: string, version: string }
  readonly servers: Array<{ url: string }>
  readonly tags: Array<{ name: string }>
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, Json & { examples?: unknown[], oneOf?: Json[], properties?: Record<string, Json> }> }
}

const documents = {
  public: await openapiDocument('public') as unknown as Document,
  admin: await openapiDocument('admin') as unknown as Document
}

const operations = listeners.flatMap(listener => Object.entries(documents[listener].paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ listener, path, method, operation, name: `${listener} ${method} ${path}` }))))

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

/** The names of the schemas that a part of a document refers to, with those they refer to themselves. */
function schemasBehind (part: unknown, { components: { schemas } }: Document, known = new Set<string>()): Set<string> {
  for (const name of refsIn(part).map(ref => ref.split('/').at(-1)!)) {
    if (known.has(name)) continue
    known.add(name)
    schemasBehind(schemas[name], { components: { schemas } } as unknown as Document, known)
  }
  return known
}

/** Every object below a value, itself included, that `wanted` holds for. */
function objectsIn (value: unknown, wanted: (object: Json) => boolean): Json[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.values(value).flatMap(part => objectsIn(part, wanted))
  return !Array.isArray(value) && wanted(value as Json) ? [value as Json, ...below] : below
}

for (const listener of listeners) {
  const document = documents[listener]

  void t.test(`${listener}: OpenAPI 3.1, whole, and the same at every call`, async t => {
    t.equal(document.openapi, '3.1.0')
    t.match(document.info, { title: listener === 'public' ? 'UDP Director' : 'UDP Director Admin', version: /^\d+\.\d+\.\d+$/ })
    t.strictSame(document.servers.map(({ url }) => url), [listener === 'public' ? 'http://localhost:9000' : 'http://localhost:9090'])
    t.strictSame(document.tags.map(({ name }) => name), [listener])
    t.equal(JSON.stringify(await openapiDocument(listener)), JSON.stringify(document), 'in the same order too')
    for (const ref of refsIn(document)) {
      t.equal(ref.startsWith('#/components/schemas/'), true, ref)
      t.equal(ref.slice('#/components/schemas/'.length) in document.components.schemas, true, ref)
    }
    t.strictSame([...schemasBehind(document.paths, document)].sort(), Object.keys(document.components.schemas).sort(), 'and nothing that no operation has')
  })

  void t.test(`${listener}: nothing that generators stumble over`, async t => {
    const keys = new Set(keysIn({ ...document, info: {} }))
    // What OpenAPI 3.0 has no word for, what is ours alone, and what makes code that does not compile.
    for (const foreign of ['$id', 'if', 'then', 'else', 'nullable', 'const', 'propertyNames', 'patternProperties', 'anyOf', 'allOf', 'not', 'exclusiveMinimum', 'prefixItems']) {
      t.equal(keys.has(foreign), false, foreign)
    }
    t.strictSame(objectsIn(document.components, ({ type }) => Array.isArray(type)), [], 'a type is one type')
    t.strictSame(objectsIn(document, object => '$ref' in object && Object.keys(object).length > 1), [], 'nothing stands beside a reference')
    for (const { oneOf = [] } of Object.values(document.components.schemas)) t.equal(oneOf.every(form => '$ref' in form), true, 'a choice is one of named schemas')
    for (const item of Object.values(document.paths)) t.equal('servers' in item, false)
    t.strictSame(objectsIn(document, ({ type, maximum, format }) => type === 'integer' && Number(maximum) > 2 ** 31 - 1 && format !== 'int64'), [], 'more than 32 bits are said to be so')
  })

  void t.test(`${listener}: requests are closed, answers are open`, async t => {
    const asked = schemasBehind(operations.filter(operation => operation.listener === listener).map(({ operation }) => operation.requestBody), document)
    const answered = schemasBehind(operations.filter(operation => operation.listener === listener).map(({ operation }) => operation.responses), document)
    t.strictSame([...asked].filter(name => answered.has(name)), [], 'no schema is both')
    for (const name of asked) {
      const schema = document.components.schemas[name]!
      t.equal(schema.oneOf !== undefined || schema['additionalProperties'] === false, true, name)
    }
    for (const name of answered) {
      t.strictSame(objectsIn(document.components.schemas[name], object => object['additionalProperties'] === false || 'enum' in object), [], name)
    }
  })
}

void t.test('every operation has a unique id, a summary, a description, a tag, and its path parameters', async t => {
  const ids = (listener: Listener): string[] => operations.filter(operation => operation.listener === listener).map(({ operation }) => operation.operationId).sort()
  t.strictSame(ids('public'), ['getApiDocument', 'getHealth', 'getLiveness', 'getReadiness', 'query'])
  t.strictSame(ids('admin'), ['endSession', 'getApiDocument', 'getConfig', 'getHealth', 'getLiveness', 'getMetrics', 'getReadiness', 'getSession', 'issueToken', 'listReplicas', 'listSessions', 'listTargets', 'moveSession', 'revokeToken'])
  for (const { listener, path, operation, name } of operations) {
    t.match(operation.summary, /\.$/, name)
    t.match(operation.description, /\.$/, name)
    t.strictSame(operation.tags, [listener], name)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    t.strictSame((operation.parameters ?? []).filter(parameter => parameter.in === 'path').map(parameter => parameter.name), inPath, name)
  }
})

void t.test('what may be left out is optional, and what is served to everybody says so', async t => {
  for (const { listener, path, operation, name } of operations) {
    for (const parameter of operation.parameters ?? []) t.equal(parameter.required, parameter.in === 'path', `${name} ${parameter.name}`)
    const isOpen = isOpenRoute(listener, path)
    t.strictSame(operation.security, isOpen ? [] : [{}, { bearer: [] }], name)
    for (const bounded of (operation.parameters ?? []).filter(({ schema }) => schema['type'] === 'integer')) t.match(bounded.schema, { minimum: Number, maximum: Number }, `${name} ${bounded.name}`)
  }
})

void t.test('components are named for what they are', async t => {
  for (const name of listeners.flatMap(listener => Object.keys(documents[listener].components.schemas))) t.match(name, /^[A-Z][A-Za-z]+$/, name)
  t.strictSame(documents.admin.components.schemas['TokenRequest']?.oneOf, [{ $ref: '#/components/schemas/NamedTokenRequest' }, { $ref: '#/components/schemas/AddressTokenRequest' }])
  t.match(documents.admin.components.schemas['Config'], { type: 'object', additionalProperties: true, properties: undefined })
  t.match(documents.public.components.schemas['Problem']?.properties?.['code'], { type: 'string', enum: undefined, 'x-extensible-enum': Object.keys(errors) })
})

// What comes before a request is known to be one of an operation.
const ofNoOperation = ['EXPECTATION_FAILED', 'HEADERS_TOO_LARGE', 'MALFORMED_REQUEST', 'METHOD_NOT_ALLOWED', 'NOT_FOUND', 'REQUEST_TIMEOUT', 'URI_TOO_LONG']

void t.test('every error is a problem with a code of the table, with an example and, where it helps, Retry-After', async t => {
  const told = new Set<string>()
  for (const { path, operation, name: operationName } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      const name = `${operationName} ${status}`
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
  t.strictSame([...told, ...ofNoOperation].sort(), Object.keys(errors).sort(), 'every code of the table is documented somewhere')
})

void t.test('openapi-typescript makes types of it', async t => {
  const typesOf = async (listener: Listener): Promise<string> => astToString(await openapiTypescript(structuredClone(documents[listener]) as never, { silent: true }))
  const [open, admin] = [await typesOf('public'), await typesOf('admin')]
  for (const text of ['query: {', 'QueryRequest: {', 'IssuedToken: {', 'code: string']) t.equal(open.includes(text), true, text)
  for (const text of ['issueToken: {', 'TokenRequest: components["schemas"]["NamedTokenRequest"] | components["schemas"]["AddressTokenRequest"]']) t.equal(admin.includes(text), true, text)
})

void t.test('every example of a request is accepted', async t => {
  const { open, admin, proxy } = await startRig(t, {
    objects: [gameServer('dust2-7xkqp', '10.0.3.17', { labels: { 'agones.dev/fleet': 'my-fleet', map: 'de_dust2' }, state: 'Allocated' })]
  })
  const target = { key: 'x', address: '10.0.0.1', ports: { default: 1 } }
  proxy.sessions.set('1', { id: '1', client: '203.0.113.9:1', target, origin: 'token', ageMs: 1, idleMs: 1, datagramsToTarget: 0, bytesToTarget: 0, datagramsToClient: 0, bytesToClient: 0 })
  let accepted = 0
  for (const { listener, path, method, operation } of operations) {
    const ref = operation.requestBody?.content['application/json']?.schema.$ref
    if (ref === undefined) continue
    const examples = documents[listener].components.schemas[ref.split('/').at(-1)!]?.examples ?? []
    t.ok(examples.length > 0, `${method} ${path} has examples`)
    for (const example of examples) {
      const answer = await ask(listener === 'public' ? open : admin, method.toUpperCase() as 'POST', path.replace('{id}', '1'), example)
      t.ok(answer.status < 300, `${method} ${path} ${JSON.stringify(example)}: ${answer.text}`)
      accepted++
    }
  }
  t.equal(accepted, 6)
})
