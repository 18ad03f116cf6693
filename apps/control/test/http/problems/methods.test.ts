// Every method at every path: what there is not is told alike, whatever comes with it.
import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { gameServer, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const config = 'limits: {queriesPerSecond: 0, adminRequestsPerSecond: 0}'

interface Told {
  readonly status: number
  readonly allow: string | undefined
  readonly code: string | undefined
}

async function ask (app: TypedApp, method: string, url: string, headers: Record<string, string> = {}, payload?: string): Promise<Told> {
  const { statusCode, headers: { allow }, payload: text } = await app.inject({ method: method as 'GET', url, headers, ...(payload === undefined ? {} : { payload }) })
  return { status: statusCode, allow: allow?.toString(), code: /"code":"(\w+)"/.exec(text)?.[1] }
}

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>

void t.test('a method that a path does not have is 405 with those that it has', async t => {
  const { open, admin } = await startRig(t, { objects, config })
  for (const app of [open, admin]) {
    const { paths } = (await app.inject('/openapi.json')).json<{ paths: Paths }>()
    for (const [path, operations] of Object.entries(paths)) {
      const names = Object.keys(operations).map(name => name.toUpperCase())
      const allow = [...new Set([...names, ...(names.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].sort().join(', ')
      for (const method of METHODS.filter(method => method !== 'CONNECT' && !allow.split(', ').includes(method))) {
        t.match(await ask(app, method, path.replace(/\{\w+\}/, 'x')), { status: 405, allow, ...(method === 'HEAD' ? {} : { code: 'METHOD_NOT_ALLOWED' }) }, `${method} ${path}`)
      }
    }
  }
})

void t.test('whatever the body, and however the path is written', async t => {
  const { open, admin } = await startRig(t, { objects, config })
  const bodies: ReadonlyArray<readonly [type: string, body: string]> = [['text/plain', 'x'], ['application/json', '{'], ['application/json', ''], [';', 'x'], ['application/x-www-form-urlencoded', 'a=b'], ['application/json', 'x'.repeat(100_000)]]
  for (const [type, body] of bodies) {
    t.match(await ask(open, 'PUT', '/query', { 'content-type': type }, body), { status: 405, allow: 'OPTIONS, POST', code: 'METHOD_NOT_ALLOWED' }, `${type} ${body.slice(0, 20)}`)
    t.match(await ask(open, 'POST', '/nothing', { 'content-type': type }, body), { status: 404, allow: undefined, code: 'NOT_FOUND' }, `${type} ${body.slice(0, 20)}`)
  }
  t.match(await ask(open, 'GET', '/quer%79?a=b'), { status: 405, allow: 'OPTIONS, POST' })
  t.match(await ask(admin, 'GET', '/docs/static/nothing.js'), { status: 404, allow: undefined, code: 'NOT_FOUND' }, 'a path below a wildcard')
  t.match(await ask(admin, 'PUT', '/docs/static/nothing.js'), { status: 405, allow: 'GET, HEAD, OPTIONS' })
})

void t.test('a target with a host is at the same path', async t => {
  const { open } = await startRig(t, { objects })
  await open.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((open.server.address() as AddressInfo).port, '127.0.0.1')
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  socket.write('GET http://localhost/query HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  await once(socket, 'close')
  t.match(heard, /^HTTP\/1.1 405 /)
  t.match(heard, /^allow: OPTIONS, POST\r$/im)
})

void t.test('a body has no longer to come than a header', async t => {
  const { open, admin } = await startRig(t, { objects })
  for (const { server } of [open, admin]) t.strictSame([server.headersTimeout, server.requestTimeout], [10_000, 10_000], 'Node swaps the two if the first is longer')
})
