// The conformance suite on real servers, in each of their shapes.
import t, { type Test } from 'tap'
import type { SharedState } from '#config/schema.js'
import { openFolder, type Folder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { hasOpenssl, makeCertificates, type Certificates } from '#testkit/store/certificates.js'
import { startCluster, startSentinels } from '#testkit/store/store-fleets.js'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { conforms, openStarted, openUp } from '../conformance.js'
import { opener } from './opening.js'

const withTls = { skip: withServer.skip !== false ? withServer.skip : hasOpenssl ? false : 'openssl is not installed' }

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

void t.test('TLS, with a certificate of the director', withTls, async t => {
  const { files, given } = await certified(t)
  const { port } = await startServer(t, { tls: files })
  await conforms(t, opener({ urls: [`valkeys://127.0.0.1:${port}`], ...given }))
  const stranger = await openStarted(t, opener({ urls: [`valkeys://127.0.0.1:${port}`], ...given, serverName: 'other.test' }), 'pod-a')
  await until(() => stranger.downs.length > 0)
  t.match(stranger.downs, [/does not match certificate's altnames: Host: other\.test/])
})

void t.test('TLS to sentinels, and to the server that they name; both have passwords', withTls, async t => {
  const { files, given, folder } = await certified(t)
  const settings = ['--tls-replication', 'yes']
  const { port } = await startServer(t, { tls: files, settings: [...settings, '--requirepass', 'server'], password: 'server' })
  const sentinel = await startServer(t, { tls: files, isSentinel: true, settings: [...settings, '--requirepass', 'sentinel'], password: 'sentinel' })
  await sentinel.command('SENTINEL', 'MONITOR', 'ud', '127.0.0.1', String(port), '1')
  await sentinel.command('SENTINEL', 'SET', 'ud', 'auth-pass', 'server')
  await openUp(t, opener({
    urls: [`valkeys://127.0.0.1:${sentinel.port}`],
    mode: 'sentinel',
    sentinelName: 'ud',
    passwordFile: folder.write('server', 'server'),
    sentinelPasswordFile: folder.write('sentinel', 'sentinel\n'),
    ...given
  }), 'pod-a')
})

void t.test('TLS to a cluster', withTls, async t => {
  const { files, given } = await certified(t)
  const { port, command } = await startServer(t, { tls: files, settings: ['--tls-cluster', 'yes', '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] })
  await command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(async () => /cluster_state:ok/.test(String(await command('CLUSTER', 'INFO'))))
  await conforms(t, opener({ urls: [`rediss://127.0.0.1:${port}`], mode: 'cluster', ...given }))
})

/** Certificates, and the keys of the configuration that name them. */
async function certified (t: Test): Promise<{ readonly folder: Folder, readonly files: Certificates, readonly given: Pick<SharedState, 'caFile' | 'certFile' | 'keyFile' | 'serverName'> }> {
  const folder = await forTest(t, openFolder())
  const files = await makeCertificates(folder.path)
  return { folder, files, given: { caFile: files.ca, certFile: files.cert, keyFile: files.key, serverName: 'store.test' } }
}
