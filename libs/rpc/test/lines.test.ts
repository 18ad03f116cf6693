// Calls line by line: the real server and the real client, and each alone with somebody who does not keep to the contract.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { err, ok } from '#core/result.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import { MAX_RPC_BODY_BYTES, rpcCalls, type RpcBody } from '#rpc/contract.js'
import { LineSplitter } from '#rpc/line-splitter.js'
import { registerRpc } from '#rpc/server.js'
import { createRpcService, type RpcHandlers } from '#rpc/service.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'

const PATH = rpcCalls.pushTokens.lines
const tokenOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const push = (number: number): RpcBody<'pushTokens'> => ({ epoch: 1, revoked: [tokenOf(number)], tokens: [] })
// Each answer names its call.
const replyTo = ({ revoked }: RpcBody<'pushTokens'>) => ok({ instanceId: revoked[0]!, rejected: [] })

async function socketOf (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lines-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  return join(folder, 'proxy.sock')
}

interface Served { readonly socketPath: string, readonly bugs: Error[], readonly connections: () => Promise<number> }

async function serve (t: Test, pushTokens: RpcHandlers['pushTokens']): Promise<Served> {
  const socketPath = await socketOf(t)
  const app = Fastify({ forceCloseConnections: true, bodyLimit: MAX_RPC_BODY_BYTES })
  const bugs: Error[] = []
  const onBug = (error: Error): void => { bugs.push(error) }
  registerRpc(app, createRpcService({ handlers: { pushTokens } as RpcHandlers, events: { read: () => undefined }, onBug }), onBug)
  await app.listen({ path: socketPath })
  t.teardown(async () => { await app.close() })
  return { socketPath, bugs, connections: async () => await new Promise(resolve => { app.server.getConnections((_, count) => { resolve(count) }) }) }
}

function clientOf (t: Test, socketPath: string, clock: FakeClock = createFakeClock()): RpcClient {
  const client = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 1000, clock })
  t.teardown(async () => { await client.close() })
  return client
}

interface Talk { readonly request: ClientRequest, readonly status: () => Promise<number>, readonly answers: () => Promise<string[]> }

/** Speaks to the lines as a program would that is not ours. */
function talk (socketPath: string): Talk {
  const request = httpRequest({ socketPath, path: PATH, method: 'POST' })
  const response = once(request, 'response') as Promise<[IncomingMessage]>
  return {
    request,
    status: async () => (await response)[0].statusCode ?? 0,
    answers: async () => {
      const lines: string[] = []
      const splitter = new LineSplitter(MAX_RPC_BODY_BYTES, line => { lines.push(line) })
      for await (const chunk of (await response)[0] as AsyncIterable<Uint8Array>) splitter.push(chunk)
      return lines
    }
  }
}

void t.test('many calls at once are one request, done one after the other, each with its own answer', async t => {
  let underWay = 0
  let most = 0
  const { socketPath, connections } = await serve(t, async ({ body }) => {
    most = Math.max(most, ++underWay)
    await nextTurn()
    underWay--
    return replyTo(body)
  })
  const client = clientOf(t, socketPath)
  const numbers = Array.from({ length: 200 }, (_, number) => number)
  t.strictSame(await Promise.all(numbers.map(async number => await client.call('pushTokens', { body: push(number) }))), numbers.map(number => replyTo(push(number))))
  t.equal(most, 1)
  t.equal(await connections(), 1)
})

void t.test('a call by itself and a line are checked and answered the same', async t => {
  const { socketPath, bugs } = await serve(t, ({ body: { revoked, epoch } }) => {
    if (epoch === 7) return err({ code: 'EPOCH_STALE', message: 'older', epoch: 9 })
    if (epoch === 8) throw new Error('a bug')
    return ok({ instanceId: String(revoked.length), rejected: [] })
  })
  const bodies = ['{"epoch":1,"revoked":[],"tokens":[]}', '{"epoch":7,"revoked":[],"tokens":[]}', '{"epoch":1,"revoked":["x"],"tokens":[]}', '{"epoch":1}', '[]', 'null', '{"epoch":8,"revoked":[],"tokens":[]}', '{"epoch":0,"revoked":[],"tokens":[],"more":1}']
  const { request, status, answers } = talk(socketPath)
  // The last one has no line feed; an empty line is none.
  request.end(bodies.join('\n\n'))
  t.equal(await status(), 200)
  const lines = await answers()
  t.equal(lines.length, bodies.length)
  for (const [index, body] of bodies.entries()) {
    const alone = httpRequest({ socketPath, path: rpcCalls.pushTokens.path, method: 'POST', headers: { 'content-type': 'application/json' } })
    alone.end(body)
    const [response] = await once(alone, 'response') as [IncomingMessage]
    let text = ''
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk
    t.strictSame(JSON.parse(lines[index]!), { status: response.statusCode, body: JSON.parse(text) as unknown }, body)
  }
  t.strictSame(bugs.map(({ message }) => message), ['a bug', 'a bug'])
})

void t.test('what is not JSON is INVALID, and the next line is read', async t => {
  const { socketPath } = await serve(t, ({ body }) => replyTo(body))
  const { request, answers } = talk(socketPath)
  request.end(`{"epoch":\n${JSON.stringify(push(5))}\n`)
  const [bad, good, ...rest] = (await answers()).map(line => JSON.parse(line) as { status: number, body: { code?: string } })
  t.match(bad, { status: 400, body: { code: 'INVALID' } })
  t.strictSame(good, { status: 200, body: replyTo(push(5)).value })
  t.strictSame(rest, [])
})

void t.test('a line longer than a body may be is refused, and is the last', async t => {
  const { socketPath, connections } = await serve(t, ({ body }) => replyTo(body))
  const { request, answers } = talk(socketPath)
  request.on('error', () => undefined)
  request.write(`${JSON.stringify(push(1))}\n`)
  request.write('x'.repeat(MAX_RPC_BODY_BYTES + 1))
  const [good, refused, ...rest] = (await answers()).map(line => JSON.parse(line) as unknown)
  t.match(good, { status: 200 })
  t.match(refused, { status: 400, body: { code: 'INVALID', message: `A line is longer than ${MAX_RPC_BODY_BYTES} bytes.` } })
  t.strictSame(rest, [])
  request.destroy()
  await until(async () => await connections() === 0)
})

void t.test('a caller that reads no answers gets no further calls done', async t => {
  let done = 0
  const { socketPath, connections } = await serve(t, () => {
    done++
    return ok({ instanceId: 'x'.repeat(100_000), rejected: [] })
  })
  const socket = connect(socketPath)
  t.teardown(() => { socket.destroy() })
  socket.pause()
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`)
  const line = `${JSON.stringify(push(1))}\n`
  const lines = line.repeat(500)
  socket.write(`${lines.length.toString(16)}\r\n${lines}\r\n`)
  let [seen, looks] = [0, 0]
  // It stands still before all are done: what the kernel holds between the two is far less than 50 MB.
  await until(() => {
    looks = done === seen ? looks + 1 : 0
    seen = done
    return seen > 0 && looks > 100
  })
  t.ok(done < 500, `${done} were done`)
  socket.destroy()
  await until(async () => await connections() === 0)
})

void t.test('a late answer ends the request, and every other call of it; the next call begins another', async t => {
  const clock = createFakeClock()
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  const begun: number[] = []
  const { socketPath, connections } = await serve(t, async ({ body }) => {
    begun.push(body.epoch)
    if (body.epoch === 2) await released
    return replyTo(body)
  })
  const client = clientOf(t, socketPath, clock)
  t.ok((await client.call('pushTokens', { body: push(1) })).ok)
  const late = client.call('pushTokens', { body: { ...push(2), epoch: 2 } }, { deadlineMs: 300 })
  const behind = client.call('pushTokens', { body: push(3) })
  await until(() => begun.length === 2)
  clock.advance(300)
  const failure = { ok: false, error: { code: 'DEADLINE', message: 'No answer within 300 ms.' } }
  t.strictSame(await late, failure)
  t.strictSame(await behind, failure)
  t.equal(clock.pending(), 0)
  t.ok((await client.call('pushTokens', { body: push(4) })).ok)
  release()
  await until(async () => await connections() === 1)
  t.strictSame(begun, [1, 2, 1], 'what nobody waits for any more was not begun')
})

void t.test('closing the client ends what is under way', async t => {
  const { socketPath } = await serve(t, async () => await new Promise(() => undefined))
  const client = clientOf(t, socketPath)
  const pending = client.call('pushTokens', { body: push(1) })
  await client.close()
  t.match(await pending, { ok: false, error: { code: 'UNREACHABLE' } })
})

void t.test('whoever is not a proxy: no socket, a refusal, an early end, an answer that is none', async t => {
  const socketPath = await socketOf(t)
  const client = clientOf(t, socketPath)
  const codeOf = async (): Promise<string> => {
    const reply = await client.call('pushTokens', { body: push(1) })
    return reply.ok ? 'ok' : reply.error.code
  }
  t.equal(await codeOf(), 'UNREACHABLE')
  let listener: RequestListener = (_request, response) => { response.writeHead(404).end('<html>') }
  const server = createServer((request, response) => { listener(request, response) })
  await new Promise<void>(resolve => { server.listen(socketPath, resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  t.equal(await codeOf(), 'INTERNAL')
  listener = (_request, response) => { response.writeHead(503, { 'content-type': 'application/json' }).end('{"code":"BUSY","message":""}') }
  t.equal(await codeOf(), 'BUSY')
  listener = (request, response) => {
    response.writeHead(200).flushHeaders()
    request.once('data', () => { response.end() })
  }
  t.equal(await codeOf(), 'UNREACHABLE')
  let answer = ''
  listener = (request, response) => {
    response.writeHead(200).flushHeaders()
    request.on('data', () => { response.write(`${answer}\n`) })
    request.on('error', () => undefined)
  }
  for (const line of ['x', '1', 'null', '{}', '{"status":200}', '{"status":200,"body":{}}', '{"status":500,"body":{"code":"NEW","message":""}}']) {
    answer = line
    t.equal(await codeOf(), 'INTERNAL', line)
  }
  answer = JSON.stringify({ status: 200, body: replyTo(push(1)).value })
  t.equal(await codeOf(), 'ok')
})
