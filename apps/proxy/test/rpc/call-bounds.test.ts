// How much of the proxy its Unix socket can take up.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { rpcCalls } from '#rpc/contract.js'
import { converse } from '#rpc/serve-lines.js'
import { registerRpc } from '#rpc/server.js'
import type { RpcService } from '#rpc/service.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until } from '#testkit/patience.js'
import { boundCalls, CALL_GRACE_MS, MAX_CALLS_PER_CONNECTION, MAX_RPC_CALLS, MAX_RPC_CONNECTIONS } from '../../src/rpc/call-bounds.js'

interface Rig {
  readonly clock: FakeClock
  readonly sizes: ReturnType<typeof boundCalls>
  readonly dial: () => Promise<Socket>
  /** Resolves when it holds; the test's own time-out ends it otherwise. */
  readonly until: (holds: () => boolean) => Promise<void>
}

async function setUp (t: Test): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'bounds-'))
  const path = join(folder, 'proxy.sock')
  const app = Fastify({ forceCloseConnections: true })
  const clock = createFakeClock()
  const sizes = boundCalls(app, clock)
  app.post('/call', () => 'done')
  const echo: Pick<RpcService, 'converse'> = {
    converse: async (_name, body, out) => { await converse(body, out, { answer: async line => await Promise.resolve({ status: 200, body: line }), tooLong: { status: 400, body: '' } }) }
  }
  registerRpc(app, echo as RpcService, error => { throw error })
  await app.listen({ path })
  t.teardown(async () => {
    await app.close()
    await rm(folder, { recursive: true })
  })
  const dial = async (): Promise<Socket> => await new Promise((resolve, reject) => {
    const socket = connect(path)
    t.teardown(() => { socket.destroy() })
    socket.once('connect', () => { resolve(socket) }).once('error', reject)
  })
  return { clock, sizes, dial, until }
}

const PATH = rpcCalls.pushTokens.lines

const unfinished = 'POST /call HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nx'

async function firstLine (socket: Socket): Promise<string> {
  return await new Promise(resolve => { socket.once('data', data => { resolve(data.toString().split('\r\n')[0]!) }) })
}

void t.test('calls under way are bounded, and one that ends or breaks off makes room', async t => {
  const { sizes, dial, until } = await setUp(t)
  const sockets: Socket[] = []
  for (let call = 0; call < MAX_RPC_CALLS; call++) {
    const socket = await dial()
    socket.write(unfinished)
    sockets.push(socket)
  }
  await until(() => sizes().rpc_calls.entries === MAX_RPC_CALLS)
  const late = await dial()
  late.write(unfinished)
  t.equal(await firstLine(late), 'HTTP/1.1 503 Service Unavailable')
  sockets[0]!.write('x')
  t.equal(await firstLine(sockets[0]!), 'HTTP/1.1 200 OK')
  sockets[1]!.destroy()
  await until(() => sizes().rpc_calls.entries === MAX_RPC_CALLS - 2)
  const next = await dial()
  next.write(`${unfinished}x`)
  t.equal(await firstLine(next), 'HTTP/1.1 200 OK')
})

void t.test('a request that lasts is one call for as long as it does', async t => {
  const { sizes, dial, until } = await setUp(t)
  const socket = await dial()
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\na\n\r\n2\r\nb\n\r\n`)
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  await until(() => heard.includes('{"status":200,"body":"b"}'))
  t.equal(sizes().rpc_calls.entries, 1)
  socket.destroy()
  await until(() => sizes().rpc_calls.entries === 0)
})

void t.test('who keeps the proxy waiting gives way to who comes', async t => {
  const { clock, sizes, dial, until } = await setUp(t)
  const sockets: Socket[] = []
  for (let call = 0; call < MAX_RPC_CALLS; call++) sockets.push(await dial())
  for (const socket of sockets) socket.write(unfinished)
  await until(() => sizes().rpc_calls.entries === MAX_RPC_CALLS)
  const gone = Promise.any(sockets.map(async socket => { await new Promise(resolve => { socket.resume().once('close', resolve) }) }))
  clock.advance(CALL_GRACE_MS)
  const next = await dial()
  next.write(`${unfinished}x`)
  t.equal(await firstLine(next), 'HTTP/1.1 200 OK')
  await gone
})

void t.test('calls behind an answer that nobody reads end with their connection, and one connection has only a few', async t => {
  const { sizes, dial, until } = await setUp(t)
  const socket = await dial()
  socket.write(`${unfinished}${`x${unfinished}`.repeat(MAX_CALLS_PER_CONNECTION - 1)}`)
  await until(() => sizes().rpc_calls.entries > 0)
  socket.write(`x${unfinished}x`.repeat(100))
  socket.destroy()
  await until(() => sizes().rpc_calls.entries === 0 && sizes().rpc_connections.entries === 0)
  const greedy = await dial()
  let heard = ''
  greedy.on('data', (data: Buffer) => { heard += data.toString() })
  const lines = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`
  greedy.write(lines.repeat(MAX_CALLS_PER_CONNECTION * 20))
  await new Promise(resolve => { greedy.once('close', resolve) })
  t.match(heard, /HTTP\/1.1 503/)
  await until(() => sizes().rpc_calls.entries === 0)
})

void t.test('connections are bounded: the one that is idle for longest gives way', async t => {
  const { sizes, dial, until } = await setUp(t)
  const sockets: Socket[] = []
  for (let connection = 0; connection < MAX_RPC_CONNECTIONS; connection++) sockets.push(await dial())
  await until(() => sizes().rpc_connections.entries === MAX_RPC_CONNECTIONS)
  const idle = new Promise<void>(resolve => { sockets[0]!.resume().once('close', resolve) })
  const late = await dial()
  late.write(`${unfinished}x`)
  t.equal(await firstLine(late), 'HTTP/1.1 200 OK')
  await idle
  t.equal(sizes().rpc_connections.entries, MAX_RPC_CONNECTIONS)
})
