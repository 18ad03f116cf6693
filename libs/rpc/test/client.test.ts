import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, EVENTS_IDLE_MS, type RpcClient } from '#rpc/client.js'
import type { RpcEvent, Session } from '#rpc/contract.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { startFakeProxy, type FakeProxy } from '#testkit/fake-proxy.js'
import { PATIENCE_MS } from '#testkit/patience.js'

interface Pair { readonly proxy: FakeProxy, readonly client: RpcClient }

async function startPair (t: Test, options: { clock?: ReturnType<typeof createFakeClock>, maxInFlight?: number } = {}): Promise<Pair> {
  const proxy = await startFakeProxy()
  const client = createRpcClient({ socketPath: proxy.socketPath, deadlineMs: PATIENCE_MS, maxInFlight: options.maxInFlight ?? 8, clock: options.clock ?? systemClock })
  t.teardown(async () => {
    await client.close()
    await proxy.close()
  })
  return { proxy, client }
}

const target = { key: 'gameserver/a/b', address: '192.0.2.1', ports: { default: 7777 } }
const token = '3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10'

const session: Session = {
  id: 's/1?', client: '198.51.100.1:5000', target, origin: 'token', ageMs: 5, idleMs: 1, datagramsToTarget: 1, bytesToTarget: 2, datagramsToClient: 3, bytesToClient: 4
}

void t.test('a call carries its path parameters, query and body, and brings the checked reply', async t => {
  const { proxy, client } = await startPair(t)
  proxy.sessions.set(session.id, session)
  t.strictSame(await client.call('getSession', { params: { id: 's/1?' } }), { ok: true, value: session })
  t.strictSame(await client.call('listSessions', { query: { limit: 1, client: '198.51.100.1:5000' } }), { ok: true, value: { sessions: [session], total: 1 } })
  t.strictSame(await client.call('listSessions', { query: { client: '203.' } }), { ok: true, value: { sessions: [], total: 1 } })
  const grant = { token, ttlMs: 1000, target }
  t.strictSame(await client.call('putSnapshot', { body: { epoch: 7, tokens: [grant], revoked: [], defaultTargets: [target] } }), { ok: true, value: { instanceId: proxy.instanceId, rejected: [] } })
  t.strictSame(proxy.tokens.get(token), grant)
  t.equal(proxy.epoch, 7)
})

void t.test('an error of the contract arrives as data', async t => {
  const { proxy, client } = await startPair(t)
  proxy.epoch = 9
  t.strictSame(await client.call('pushTokens', { body: { epoch: 8, tokens: [], revoked: [] } }),
    { ok: false, error: { code: 'EPOCH_STALE', message: 'A newer control process has taken over.', epoch: 9 } })
  t.strictSame(await client.call('endSession', { params: { id: 'x' } }), { ok: false, error: { code: 'NOT_FOUND', message: 'No such session.' } })
})

void t.test('a reply that does not fit the contract is INTERNAL, whatever is wrong with it', async t => {
  const { proxy, client } = await startPair(t)
  for (const [status, text] of [[200, '{'], [200, '{}'], [200, '{"instanceId":1}'], [500, 'oops'], [404, '{"code":"NEW_CODE","message":""}']] as const) {
    proxy.hook = () => ({ kind: 'reply', status, text })
    const reply = await client.call('hello', {})
    t.equal(reply.ok ? 'ok' : reply.error.code, 'INTERNAL', text)
  }
})

void t.test('no socket, a closed connection and a stopped proxy are UNREACHABLE', async t => {
  const { proxy, client } = await startPair(t)
  proxy.hook = () => ({ kind: 'hang-up' })
  const hungUp = await client.call('hello', {})
  t.equal(hungUp.ok ? 'ok' : hungUp.error.code, 'UNREACHABLE')
  await proxy.stop()
  const stopped = await client.call('hello', {})
  t.equal(stopped.ok ? 'ok' : stopped.error.code, 'UNREACHABLE')
  proxy.hook = () => undefined
  await proxy.restart()
  t.equal((await client.call('hello', {})).ok, true, 'and it works again when the proxy is back')
})

void t.test('a call without answer ends at its deadline, and gives its place free', async t => {
  const clock = createFakeClock()
  const { proxy, client } = await startPair(t, { clock, maxInFlight: 1 })
  proxy.hook = () => ({ kind: 'silence' })
  const pending = client.call('hello', {}, { deadlineMs: 300 })
  t.strictSame(await client.call('hello', {}), { ok: false, error: { code: 'BUSY', message: '1 calls are under way.' } })
  await proxy.until(() => proxy.calls.length === 1)
  clock.advance(299)
  clock.advance(1)
  t.strictSame(await pending, { ok: false, error: { code: 'DEADLINE', message: 'No answer within 300 ms.' } })
  proxy.hook = () => undefined
  t.equal((await client.call('hello', {})).ok, true)
  t.equal(clock.pending(), 0)
})

void t.test('events arrive in order until the stream ends', async t => {
  const { proxy, client } = await startPair(t)
  const heard: RpcEvent[] = []
  const ended = client.events(event => {
    heard.push(event)
    if (event.type === 'redeemed') proxy.cutStreams()
  }, new AbortController().signal)
  await proxy.until(() => proxy.openStreams() === 1)
  proxy.emitRaw('{"type":"counts","ses')
  proxy.emitRaw('sions":{"a":1}}\n')
  proxy.emit({ type: 'redeemed', token, dataPort: 'default', sessionId: '1' })
  t.equal((await ended).code, 'UNREACHABLE')
  t.strictSame(heard, [
    { type: 'hello', instanceId: proxy.instanceId },
    { type: 'counts', sessions: { a: 1 } },
    { type: 'redeemed', token, dataPort: 'default', sessionId: '1' }
  ])
})

void t.test('a line that is not an event, or too long, ends the stream and nothing after it is heard', async t => {
  const { proxy, client } = await startPair(t)
  for (const text of ['{"type":"news"}\n{"type":"counts","sessions":{}}\n', 'x'.repeat(1024 * 1024 + 1)]) {
    const heard: string[] = []
    const ended = client.events(event => { heard.push(event.type) }, new AbortController().signal)
    await proxy.until(() => proxy.openStreams() === 1)
    proxy.emitRaw(text)
    t.equal((await ended).code, 'INTERNAL')
    t.strictSame(heard, ['hello'])
    await proxy.until(() => proxy.openStreams() === 0)
  }
})

void t.test('a silent stream ends by its watchdog, and an aborted one at once', async t => {
  const clock = createFakeClock()
  const { proxy, client } = await startPair(t, { clock })
  let greeted = (): void => undefined
  const greeting = new Promise<void>(resolve => { greeted = resolve })
  const silent = client.events(greeted, new AbortController().signal)
  await greeting
  clock.advance(EVENTS_IDLE_MS - 1)
  t.equal(proxy.openStreams(), 1)
  clock.advance(1)
  t.equal((await silent).code, 'DEADLINE')
  const aborting = new AbortController()
  const aborted = client.events(() => { aborting.abort() }, aborting.signal)
  t.equal((await aborted).code, 'UNREACHABLE')
  t.equal(clock.pending(), 0)
})

void t.test('someone else on the socket is not a proxy', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'udp-director-'))
  const socketPath = join(directory, 'other.sock')
  const server: Server = createServer((_request, response) => { response.writeHead(404).end('<html>') })
  await new Promise<void>(resolve => { server.listen(socketPath, resolve) })
  const client = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 1, clock: systemClock })
  t.teardown(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })
  t.equal((await client.events(() => undefined, new AbortController().signal)).code, 'INTERNAL')
  const reply = await client.call('hello', {})
  t.strictSame(reply, { ok: false, error: { code: 'INTERNAL', message: 'HTTP 404 without an error of the contract.' } })
})
