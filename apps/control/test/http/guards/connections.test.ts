// Connections that end in the middle of something, over real sockets.
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { eventually, gameServer, startRig, type Rig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const body = JSON.stringify({ resourceType: 'gameserver', namespace: 'game-servers' })
const query = `POST /query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`
const connectRequest = 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n'

async function listen (app: TypedApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

async function dial (port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** The statuses that a connection hears, in their order, until the director ends it. */
async function heardBy (socket: Socket): Promise<number[]> {
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  await once(socket, 'end')
  socket.destroy()
  return [...heard.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
}

function entries ({ features }: Rig, table: string): number {
  return features.tables.readings().find(reading => reading.table === table)!.entries
}

const isQuiet = (rig: Rig): boolean => ['connections_public', 'connections_admin', 'requests_public', 'requests_admin'].every(table => entries(rig, table) === 0)

void t.test('who closes their side behind a request gets the answers, and then the end', async t => {
  const rig = await startRig(t, { objects })
  const [open, admin] = [await listen(rig.open), await listen(rig.admin)]
  const cases: ReadonlyArray<readonly [port: number, text: string, statuses: readonly number[]]> = [
    [open, query, [200]],
    [admin, get('/metrics'), [200]],
    [admin, get('/sessions'), [200]],
    [open, query.repeat(3), [200, 200, 200]],
    [open, query + get('/openapi.json') + query, [200, 200, 200]],
    [open, query + query.slice(0, -5), [200, 400]],
    [open, query.slice(0, -5), [400]],
    [open, query + connectRequest, [200, 405]],
    [open, '', []]
  ]
  for (const [port, text, statuses] of cases) {
    const socket = await dial(port)
    socket.end(text)
    t.strictSame(await heardBy(socket), statuses, text.slice(0, 20))
  }
  await eventually(() => isQuiet(rig))
})

void t.test('CONNECT behind a query gets its answer after that of the query', async t => {
  const rig = await startRig(t, { objects })
  const port = await listen(rig.open)
  for (const more of ['', get('/livez'), 'x'.repeat(200_000)]) {
    const socket = await dial(port)
    socket.write(query + query + connectRequest + more)
    t.strictSame(await heardBy(socket), [200, 200, 405])
  }
  await eventually(() => isQuiet(rig))
})

void t.test('a connection may be reset at any moment', async t => {
  const rig = await startRig(t, { objects })
  const port = await listen(rig.open)
  const heard = async (socket: Socket): Promise<unknown> => await once(socket, 'data')
  const accepted = async (): Promise<void> => { await eventually(() => entries(rig, 'connections_public') > 0) }
  const written = async (): Promise<void> => { await Promise.resolve() }
  const cases: ReadonlyArray<readonly [text: string, moments: ReadonlyArray<(socket: Socket) => Promise<unknown>>]> = [
    [connectRequest, [written, accepted, heard]],
    [query + connectRequest, [written, accepted, heard]],
    [query.repeat(5), [written, accepted, heard]],
    [query.slice(0, -5), [written, accepted]],
    ['nonsense\r\n\r\n', [written, accepted, heard]],
    [query + 'nonsense\r\n\r\n', [written, accepted, heard]]
  ]
  for (const [text, moments] of cases) {
    for (const moment of moments) {
      const socket = await dial(port)
      await new Promise(resolve => { socket.write(text, resolve) })
      await moment(socket)
      socket.resetAndDestroy()
      await eventually(() => isQuiet(rig))
    }
  }
  t.equal((await rig.open.inject('/livez')).statusCode, 200)
})

void t.test('a half-closed connection that leaves its answer untaken is closed in time', async t => {
  const rig = await startRig(t, { objects })
  const socket = await dial(await listen(rig.admin))
  socket.pause()
  // More than the buffers of the system take.
  socket.end(get('/docs/static/swagger-ui-bundle.js').repeat(12))
  await eventually(() => entries(rig, 'requests_admin') > 0)
  const isOver = (): boolean => {
    rig.clock.advance(1000)
    return isQuiet(rig)
  }
  await eventually(isOver)
  socket.destroy()
  t.pass()
})

void t.test('closing waits for nobody who has nothing to say', async t => {
  const rig = await startRig(t, { objects })
  const port = await listen(rig.admin)
  const silent = [await dial(port), await dial(port)]
  silent[1]!.end()
  const waiting = await Promise.all(['GET /met', get('/metrics').slice(0, -2), 'PUT /sessions/00000000-0000-4000-8000-000000000000/target HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-type: application/json\r\n\r\n{'].map(async text => {
    const socket = await dial(port)
    socket.write(text)
    return socket
  }))
  await eventually(() => entries(rig, 'connections_admin') >= 4 && entries(rig, 'requests_admin') === 1)
  let isClosed = false
  const closing = rig.admin.close().then(() => { isClosed = true })
  await eventually(() => entries(rig, 'connections_admin') === 3)
  t.equal(isClosed, false, 'what has begun has a moment')
  const isOver = (): boolean => {
    rig.clock.advance(500)
    return isClosed
  }
  await eventually(isOver)
  await closing
  for (const socket of [...silent, ...waiting]) socket.destroy()
})
