// An HTTP listener at several addresses: one port, one server, one end.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { until } from '#testkit/patience.js'
import { claimPort } from '#testkit/ports.js'
import { listenOn } from '../../../src/http/listener/listen.js'
import type { TypedApp } from '../../../src/http/listener/listener.js'

// Every address of 127.0.0.0/8 is this machine's.
const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3']

function appFor (t: Test): TypedApp {
  const app = Fastify() as unknown as TypedApp
  app.get('/', () => 'here')
  t.teardown(async () => { await app.close() })
  return app
}

async function taken (t: Test, host: string, port = 0): Promise<number> {
  const server = createServer()
  t.teardown(() => { server.close() })
  return await listening(server, host, port)
}

async function listening (server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function text (host: string, port: number): Promise<string> {
  return await (await fetch(`http://${host}:${port}/`)).text()
}

/** The error's code, or `connected`. */
async function knock (host: string, port: number): Promise<string> {
  const socket = connect({ host, port })
  return await new Promise(resolve => {
    socket.once('error', (error: NodeJS.ErrnoException) => { resolve(error.code ?? error.message) })
    socket.once('connect', () => {
      socket.destroy()
      resolve('connected')
    })
  })
}

/** How each of the addresses answers. */
async function doors (port: number): Promise<string[]> {
  return await Promise.all(addresses.map(async address => await knock(address, port)))
}

const refused = addresses.map(() => 'ECONNREFUSED')

async function portOf (app: TypedApp, port = 0): Promise<number> {
  const bound = await listenOn(app, addresses, port, 'queryPort')
  if (!bound.ok) throw new Error(bound.error)
  return bound.value
}

void t.test('every address answers, on the same port; closing closes all', async t => {
  const app = appFor(t)
  const port = await portOf(app)
  for (const address of addresses) t.equal(await text(address, port), 'here', address)
  t.equal(await knock('127.0.0.4', port), 'ECONNREFUSED', 'no others')
  await app.close()
  t.same(await doors(port), refused)
})

void t.test('an address that cannot be bound is a clear error, and leaves nothing open, whichever it is', async t => {
  for (const address of addresses) {
    const port = await taken(t, address)
    const bound = await listenOn(appFor(t), addresses, port, 'adminPort')
    t.same(bound, { ok: false, error: `Port ${port} is taken: end what listens there, or set adminPort to another port.` })
    // The one who has it answers, and nobody else.
    t.same(await doors(port), addresses.map(other => other === address ? 'connected' : 'ECONNREFUSED'))
  }
  // RFC 5737: documentation, nobody's.
  for (const strangers of [['127.0.0.1', '192.0.2.1'], ['192.0.2.1', '127.0.0.1']]) {
    const { port } = await claimPort()
    t.same(await listenOn(appFor(t), strangers, port, 'queryPort'), { ok: false, error: 'bindAddress 192.0.2.1 is not an address of this machine.' })
    t.same(await doors(port), refused)
  }
})

void t.test('a port that the system chose and another has at one of the addresses: another one is chosen for all', async t => {
  const app = appFor(t)
  const tried: number[] = []
  const listen = app.listen.bind(app)
  app.listen = (async (options: { host: string, port: number }) => {
    tried.push(options.port)
    if (tried.length === 1) await taken(t, options.host, options.port)
    return await listen(options)
  }) as typeof app.listen
  const port = await portOf(app)
  t.equal(tried.length, 2)
  t.equal(port, tried[1])
  for (const address of addresses) t.equal(await text(address, port), 'here', address)
  t.same(await doors(tried[0]!), ['connected', 'ECONNREFUSED', 'ECONNREFUSED'])
})

void t.test('closing: a request that is under way at a side door gets its answer, and nobody comes in meanwhile', async t => {
  const app = Fastify() as unknown as TypedApp
  let isAsked = false
  let answer: (text: string) => void = () => undefined
  app.get('/', async () => {
    isAsked = true
    return await new Promise<string>(resolve => { answer = resolve })
  })
  const port = await portOf(app)
  const socket: Socket = connect({ host: '127.0.0.2', port })
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await until(() => isAsked)
  let isClosed = false
  const closing = app.close().then(() => { isClosed = true })
  for (let open = addresses.length; open > 0;) open = (await doors(port)).filter(outcome => outcome === 'connected').length
  t.notOk(isClosed, 'it is waited for')
  answer('late')
  const got: string[] = []
  for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) got.push(chunk)
  t.match(got.join(''), /^HTTP\/1\.1 200 .*late$/s)
  await closing
  t.same(await doors(port), refused)
})
