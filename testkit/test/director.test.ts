// The directors that are driven: what they say when they do not start, and what is left of them.
import { existsSync } from 'node:fs'
import t from 'tap'
import { forTest } from '../for-test.js'
import { NotStarted } from '../director/driven.js'
import { Pair } from '../director/pair.js'
import { ProxyAlone } from '../director/proxy-alone.js'
import { Serve } from '../director/serve.js'
import { gameServerYaml } from '../objects/game-server.js'
import { openUdpPeer } from '../udp-peer.js'
import { isAlive } from '../processes/child.js'

void t.test('one that does not start says why', async t => {
  const openings: Array<() => Promise<unknown>> = [
    async () => await Pair.open({ config: 'tokenTtlSeconds: 0' }),
    async () => await Serve.open({ settings: 'tokenTtlSeconds: 0' }),
    async () => await ProxyAlone.open({ settings: { tokenTtlSeconds: 0 } })
  ]
  for (const opening of openings) await t.rejects(opening(), /tokenTtlSeconds: must be/)
  const fault = await ProxyAlone.open({ settings: { tokenTtlSeconds: 0 } }).then(() => undefined, (error: unknown) => error)
  t.type(fault, NotStarted)
  t.match(fault, { lastLine: /tokenTtlSeconds: must be/ })
})

void t.test('serve: who is asked for is sent there, a process that is killed comes back, and nothing is left', async t => {
  const server = await forTest(t, openUdpPeer())
  const serve = await Serve.open({ dataPorts: { game: 0 }, inventory: { 'a.yaml': gameServerYaml('a', { game: server.port }) } })
  const client = await forTest(t, openUdpPeer())
  await client.send(await serve.query(), serve.dataPorts['game']!)
  await client.send('hello', serve.dataPorts['game']!)
  t.equal((await server.next()).bytes.toString(), 'hello')
  t.match(await serve.metrics(), /^udp_director_sessions_active 1$/m)
  const former = serve.pid('proxy')
  serve.kill('proxy')
  await serve.until(() => serve.starts('proxy') === 2)
  await serve.ready()
  t.not(serve.pid('proxy'), former)
  t.equal(await serve.sum('udp_director_sessions_restored'), 1)
  const pids = [serve.process.pid, serve.pid('control'), serve.pid('proxy')]
  await serve.close()
  t.same(pids.filter(isAlive), [])
  t.notOk(existsSync(serve.folder))
})

void t.test('a proxy alone sends clients to the default targets it was told', async t => {
  const server = await forTest(t, openUdpPeer())
  const proxy = await forTest(t, ProxyAlone.open({ dataPorts: { game: 0 }, defaultTargets: [{ key: 'a', address: '127.0.0.1', ports: { game: server.port } }] }))
  await (await forTest(t, openUdpPeer())).send('hello', proxy.dataPorts['game']!)
  t.equal((await server.next()).bytes.toString(), 'hello')
})
