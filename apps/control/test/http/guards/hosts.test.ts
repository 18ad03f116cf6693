// Requests as they come over the wire, where a client that is not a browser can write what it likes.
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { authorityOf } from '../../../src/http/callers/hosts.js'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { gameServer, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]

async function portOf (app: TypedApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** Status and code of the answer to a request without a body. */
async function say (port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  socket.write([...lines, 'connection: close', '', ''].join('\r\n'))
  await once(socket, 'close')
  return [/^HTTP\/1.1 (\d+)/.exec(heard)?.[1], /"code":"(\w+)"/.exec(heard)?.[1]].filter(part => part !== undefined).join(' ')
}

void t.test('the host is the one of the target, if that has one, and there is one only', async t => {
  const port = await portOf((await startRig(t, { objects })).admin)
  const cases: ReadonlyArray<readonly [lines: readonly string[], answer: string]> = [
    [['GET http://localhost:9090/config HTTP/1.1', 'host: localhost:9090'], '200'],
    [['GET http://rebound.example/config HTTP/1.1', 'host: localhost'], '403 HOST_NOT_ALLOWED'],
    [['GET HTTP://REBOUND.example:80/config HTTP/1.1', 'host: localhost'], '403 HOST_NOT_ALLOWED'],
    [['GET http://localhost@rebound.example/config HTTP/1.1', 'host: localhost'], '403 HOST_NOT_ALLOWED'],
    [['GET http://localhost/config HTTP/1.1', 'host: localhost', 'origin: http://localhost'], '200'],
    [['GET http://director/config HTTP/1.1', 'host: localhost', 'origin: http://localhost'], '403 CROSS_SITE_REQUEST'],
    [['GET /config HTTP/1.1', 'host: localhost', 'host: rebound.example'], '400 MALFORMED_REQUEST'],
    [['GET /config HTTP/1.1', 'host: localhost', 'Host: localhost'], '400 MALFORMED_REQUEST'],
    [['GET /config HTTP/1.0', 'Host: localhost', 'HOST: rebound.example'], '400 MALFORMED_REQUEST'],
    [['GET /config HTTP/1.1', 'host:'], '403 HOST_NOT_ALLOWED'],
    [['GET /config HTTP/1.1'], '400 MALFORMED_REQUEST'],
    [['GET /config HTTP/1.0'], '200']
  ]
  for (const [lines, answer] of cases) t.equal(await say(port, lines), answer, lines.join(' | '))
})

void t.test('only a link that somebody follows may lead here from another site', async t => {
  const { admin } = await startRig(t, { objects })
  const ask = async (method: 'GET' | 'HEAD' | 'POST' | 'DELETE', url: string): Promise<number> => {
    const headers = { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    return (await admin.inject({ method, url, headers })).statusCode
  }
  t.equal(await ask('GET', '/config'), 200)
  t.equal(await ask('HEAD', '/config'), 200)
  t.equal(await ask('POST', '/tokens'), 403, 'a form')
  t.equal(await ask('DELETE', '/sessions/a'), 403)
})

void t.test('the host of a target', t => {
  const targets = ['/a', '*', '/http://a', 'http://a', 'http://a:1/b', 'https://[::1]:2?c', '//a/b']
  t.strictSame(targets.map(authorityOf), [undefined, undefined, undefined, 'a', 'a:1', '[::1]:2', undefined])
  t.end()
})
