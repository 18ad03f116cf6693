// What comes over HTTP: bodies near the schemas and far from them, on both listeners over a small inventory and a proxy
// that only pretends to forward.
import fc from 'fast-check'
import { errors, type ErrorCode } from '../../apps/control/src/http/problems/errors.js'
import { gameServer, goOnline, openRig, type Rig } from '#testkit/control-rig.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const mostly = <Sound, Odd>(sound: fc.Arbitrary<Sound>, odd: fc.Arbitrary<Odd>): fc.Arbitrary<Sound | Odd> => fc.oneof({ weight: 20, arbitrary: sound }, { weight: 1, arbitrary: odd })
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>('', 'x'.repeat(2000), 1e300, -1, null, '__proto__'))
const name = fc.constantFrom('gameserver', 'game-servers', 'a', 'b', 'constructor', 'toString', '__proto__')
const labels = mostly(fc.dictionary(fc.constantFrom('map', 'constructor', '__proto__', 'x/y'), fc.constantFrom('de_dust2', ''), { maxKeys: 3 }), odd)
const jsonPath = fc.oneof(fc.constantFrom('status.state', 'status.ports[0].port', 'status.constructor', 'status["', '$..a', 'a[?(@.b==1)]'), fc.string({ maxLength: 40 }))
const statusQuery = mostly(fc.record({ jsonPath, expectedValue: fc.constantFrom('Ready', ''), expectedValues: fc.array(fc.constantFrom('Ready', '7000'), { maxLength: 3 }) }, { requiredKeys: ['jsonPath'] }), odd)
const address = fc.constantFrom('10.0.0.1', '127.0.0.1', '0.0.0.0', '::ffff:10.0.0.1', '2001:db8::1', 'localhost', '10.0.0.1:80')
const ports = mostly(fc.dictionary(fc.constantFrom('default', 'voice', 'constructor', '__proto__'), fc.constantFrom<unknown>(7000, 0, 65_536, '7000'), { maxKeys: 3 }), odd)

const body = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom('query', 'other'), resourceType: mostly(name, odd), namespace: mostly(name, odd), labelSelector: labels, annotationSelector: labels, statusQuery }, { requiredKeys: ['resourceType', 'namespace'] }) },
  { weight: 4, arbitrary: fc.record({ resourceType: name, namespace: name, name: mostly(name, odd), ttlSeconds: mostly(fc.constantFrom(1, 30, 3600), odd), clientIp: mostly(address, odd) }, { requiredKeys: ['resourceType', 'namespace', 'name'] }) },
  { weight: 4, arbitrary: fc.record({ address: mostly(address, odd), ports, ttlSeconds: fc.constantFrom(1, 0, 30), clientIp: address }, { requiredKeys: ['address', 'ports'] }) },
  { weight: 1, arbitrary: fc.jsonValue() })

const requests = ['query', 'tokens', 'move'] as const

const request = fc.record({
  to: fc.constantFrom(...requests),
  id: fc.oneof(fc.constantFrom('0-1', '__proto__', '%2e%2e', '.'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map(encodeURIComponent)),
  text: fc.oneof({ weight: 12, arbitrary: body.map(value => JSON.stringify(value)) }, { weight: 1, arbitrary: fc.string() }),
  type: mostly(fc.constant('application/json'), fc.constantFrom('text/plain', 'application/json; charset=x', 'multipart/form-data'))
})

/** @param around what each answer goes through: a test has one that spoils some */
export function httpBodies (around = (status: number): number => status): FuzzTarget {
  return fuzzTarget({
    name: 'http-bodies',
    what: 'requests with bodies near the schemas and far from them: an answer of the table of errors, never 500',
    inputs: request,
    corpus: ['constructor', 'toString', '__proto__'].map(word => ({ to: 'query' as const, id: '.', text: JSON.stringify({ resourceType: word, namespace: word }), type: 'application/json' as const })),
    testRuns: 200,
    open: async () => {
      const rig = await openRig({
        config: 'limits: { queriesPerSecond: 0, adminRequestsPerSecond: 0, maxTokens: 1000 }',
        objects: [gameServer('a', '10.0.0.1', { labels: { map: 'de_dust2' } }), gameServer('constructor', '10.0.0.2'), gameServer('b', '127.0.0.1')]
      })
      await goOnline(rig)
      return { check: async input => { await tryRequest(rig, input, around) }, close: rig.close }
    }
  })
}

type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never

async function tryRequest ({ open, admin }: Rig, { to, id, text, type }: Request, around: (status: number) => number): Promise<void> {
  const [app, method, url] = to === 'query' ? [open, 'POST', '/query'] as const : to === 'tokens' ? [admin, 'POST', '/tokens'] as const : [admin, 'PUT', `/sessions/${id}/target`] as const
  const answer = await app.inject({ method, url, payload: text, headers: { 'content-type': type } })
  const status = around(answer.statusCode)
  if (status < 300) return
  must(String(answer.headers['content-type']).startsWith('application/problem+json'), `${status} is not problem+json: ${answer.payload}`)
  const { code, status: told } = answer.json<{ code: string, status: number }>()
  must(code in errors && errors[code as ErrorCode].status === status && told === status, `${status} with code ${code}`)
  must(code !== 'INTERNAL', `a bug: ${answer.payload}`)
}
