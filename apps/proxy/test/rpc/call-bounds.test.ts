// How much of the proxy its Unix socket can take up.
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { serveLines } from '#rpc/serve-lines.js'
import { until } from '#testkit/patience.js'
import { boundCalls, MAX_RPC_CALLS, MAX_RPC_CONNECTIONS } from '../../src/rpc/call-bounds.js'

interface Rig {
  readonly sizes: ReturnType<typeof boundCalls>
  readonly dial: () => Promise<Socket>
  /** Resolves when it holds; the test's own time-out ends it otherwise. */
  readonly until: (holds: () => boolean) => Promise<void>
}

async function setUp (t: Test): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'bounds-'))
  const path = join(folder, 'proxy.sock')
  const app = Fastify({ forceCloseConnections: true })
  const sizes = boundCalls(app)
  app.post('/call', () => 'done')
  serveLines(app, '/lines', { answer: async line => await Promise.resolve({ status: 200, body: line }), tooLong: { status: 400, body: '' } })
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
  return { sizes, dial, until }
}

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
  socket.write('POST /lines HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\na\n\r\n2\r\nb\n\r\n')
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  await until(() => heard.includes('{"status":200,"body":"b"}'))
  t.equal(sizes().rpc_calls.entries, 1)
  socket.destroy()
  await until(() => sizes().rpc_calls.entries === 0)
})

void t.test('connections are bounded, and one that is closed makes room', async t => {
  const { sizes, dial, until } = await setUp(t)
  const sockets: Socket[] = []
  for (let connection = 0; connection < MAX_RPC_CONNECTIONS; connection++) sockets.push(await dial())
  await until(() => sizes().rpc_connections.entries === MAX_RPC_CONNECTIONS)
  const late = await dial()
  await new Promise<void>(resolve => { late.resume().once('close', resolve) })
  t.equal(sizes().rpc_connections.entries, MAX_RPC_CONNECTIONS, 'the one too many was closed at once')
  sockets[0]!.destroy()
  await until(() => sizes().rpc_connections.entries === MAX_RPC_CONNECTIONS - 1)
  const next = await dial()
  next.write(`${unfinished}x`)
  t.equal(await firstLine(next), 'HTTP/1.1 200 OK')
})
