// The conformance suite on real servers, in each of their shapes.
import t from 'tap'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { hasOpenssl, makeCertificates } from '#testkit/store/certificates.js'
import { startCluster, startSentinels } from '#testkit/store/store-fleets.js'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { conforms } from '../conformance.js'
import { opener } from './opening.js'

void t.test('one server', withServer, async t => {
  const { port, command } = await startServer(t)
  await conforms(t, opener({ urls: [`valkey://127.0.0.1:${port}`] }))
  const immortal: string[] = []
  for (const key of await command('KEYS', '*') as readonly string[]) if (await command('PTTL', key) === -1) immortal.push(key)
  t.same(immortal, ['ud1:key'], 'nothing else lives for ever')
})

void t.test('sentinels', withServer, async t => {
  const { name, sentinels } = await startSentinels(t)
  await conforms(t, opener({ urls: sentinels.map(({ port }) => `redis://127.0.0.1:${port}`), mode: 'sentinel', sentinelName: name }))
})

void t.test('a cluster', withServer, async t => {
  const nodes = await startCluster(t)
  await conforms(t, opener({ urls: nodes.slice(0, 2).map(({ port }) => `valkey://127.0.0.1:${port}`), mode: 'cluster' }))
})

void t.test('TLS, with a certificate of the director', { skip: withServer.skip !== false ? withServer.skip : hasOpenssl ? false : 'openssl is not installed' }, async t => {
  const files = await makeCertificates((await forTest(t, openFolder())).path)
  const { port } = await startServer(t, { tls: files })
  const own = { certFile: files.cert, keyFile: files.key }
  await conforms(t, opener({ urls: [`valkeys://127.0.0.1:${port}`], caFile: files.ca, ...own, serverName: 'store.test' }))
})
