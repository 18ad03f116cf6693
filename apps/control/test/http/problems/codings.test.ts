// Bodies that are there, are not there, and are coded, over a real socket: `inject` codes nothing.
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { gameServer, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const query = Buffer.from(JSON.stringify({ resourceType: 'gameserver', namespace: 'game-servers' }))
const zipped = gzipSync(query)
const unknownToken = '/tokens/3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10'

const chunked = (body: Buffer): Buffer => Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])

async function listen (app: TypedApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** Everything that is answered to a request, of whose headers some are given. */
async function say (port: number, start: string, headers: readonly string[], body: Buffer = Buffer.alloc(0)): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  socket.write(Buffer.concat([Buffer.from([`${start} HTTP/1.1`, 'host: x', 'connection: close', ...headers, '', ''].join('\r\n')), body]))
  await once(socket, 'close')
  return heard
}

void t.test('a body that is coded in a way that is not read is refused by what it is', async t => {
  const { open } = await startRig(t, { objects })
  const port = await listen(open)
  const length = (body: Buffer): string => `content-length: ${body.length}`
  const cases: ReadonlyArray<readonly [headers: readonly string[], body: Buffer, status: number, code?: string]> = [
    [['content-encoding: gzip', length(zipped)], zipped, 415, 'UNSUPPORTED_CONTENT_ENCODING'],
    [['Content-Encoding: Identity, BR', length(query)], query, 415, 'UNSUPPORTED_CONTENT_ENCODING'],
    [['content-encoding: gzip', 'transfer-encoding: chunked'], chunked(zipped), 415, 'UNSUPPORTED_CONTENT_ENCODING'],
    [['content-encoding: identity', length(query)], query, 200],
    [['content-encoding: ', length(query)], query, 200],
    [['transfer-encoding: gzip, chunked'], chunked(zipped), 501, 'UNSUPPORTED_TRANSFER_ENCODING'],
    [['transfer-encoding: gzip', 'transfer-encoding: chunked'], chunked(query), 501, 'UNSUPPORTED_TRANSFER_ENCODING'],
    [['transfer-encoding: chunked, gzip'], zipped, 400, 'MALFORMED_REQUEST'],
    [['transfer-encoding: gzip', length(zipped)], zipped, 400, 'MALFORMED_REQUEST'],
    [['Transfer-Encoding: Chunked'], chunked(query), 200]
  ]
  for (const [headers, body, status, code] of cases) {
    const heard = await say(port, 'POST /query', ['content-type: application/json', ...headers], body)
    t.match(heard, new RegExp(`^HTTP/1\\.1 ${status} `), headers.join(' '))
    if (code !== undefined) t.match(heard, `"code":"${code}"`, headers.join(' '))
    if (status === 415) t.match(heard, /\r\naccept-encoding: identity\r\n/i)
  }
})

void t.test('an empty body is none where there is none to send, whatever its type', async t => {
  const { open, admin } = await startRig(t, { objects })
  const [openPort, adminPort] = [await listen(open), await listen(admin)]
  const none = ['content-length: 0', 'transfer-encoding: chunked', '']
  for (const header of none) {
    const headers = ['content-type: application/json', ...(header === '' ? [] : [header])]
    const body = header.startsWith('transfer') ? Buffer.from('0\r\n\r\n') : undefined
    t.match(await say(adminPort, `DELETE ${unknownToken}`, headers, body), /^HTTP\/1\.1 404 [^]*TOKEN_NOT_FOUND/, header)
    t.match(await say(adminPort, 'DELETE /sessions/nobody', headers, body), /^HTTP\/1\.1 404 [^]*SESSION_NOT_FOUND/, header)
    t.match(await say(adminPort, 'GET /sessions', headers, body), /^HTTP\/1\.1 200 /, header)
    t.match(await say(openPort, 'HEAD /livez', headers, body), /^HTTP\/1\.1 200 /, header)
    t.match(await say(openPort, 'POST /query', headers, body), /^HTTP\/1\.1 400 /, `a query has one: ${header}`)
  }
  t.match(await say(adminPort, `DELETE ${unknownToken}`, ['content-type: text/plain', 'content-encoding: gzip', 'content-length: 0']), /^HTTP\/1\.1 404 /)
  t.match(await say(adminPort, `DELETE ${unknownToken}`, ['content-type: application/json', 'content-length: 1'], Buffer.from('{')), /^HTTP\/1\.1 400 [^]*MALFORMED_JSON/, 'what is not JSON is none')
})
