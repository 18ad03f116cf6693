import t from 'tap'
import { storeAddress } from '../../src/load/store-address.js'
import { parseConfig } from '../../src/load/load-config.js'

function faultsOf (sharedState: string): string[] {
  const loaded = parseConfig(`inventory: {provider: file, path: inventory}\nsharedState: ${sharedState}\n`, '/etc/director/config.yaml')
  return loaded.ok ? [] : loaded.error.map(({ path, message }) => `${path}: ${message}`)
}

const golden: ReadonlyArray<readonly [yaml: string, ...faults: string[]]> = [
  ['{urls: ["valkey://valkey"]}'],
  ['{urls: ["redis://127.0.0.1:6380/"]}'],
  ['{urls: ["valkeys://[2001:db8::1]:6380"], caFile: ca.pem, certFile: cert.pem, keyFile: key.pem, serverName: valkey, username: ud, passwordFile: password}'],
  ['{urls: ["rediss://a", "rediss://b"], mode: cluster}'],
  ['{urls: ["valkey://a:26379", "valkey://b"], mode: sentinel, sentinelName: ud, sentinelUsername: x, sentinelPasswordFile: y}'],
  ['{}', 'sharedState.urls: is required.'],
  ['{urls: []}', 'sharedState.urls: must not be empty.'],
  ['{urls: ["valkey://ud:hunter2@valkey:6379"]}', 'sharedState.urls[0]: must not hold a user or a password, which everybody would see who may see the configuration: say username and passwordFile.'],
  ['{urls: ["valkey://:p@ss/w#rd@valkey"]}', 'sharedState.urls[0]: must not hold a user or a password, which everybody would see who may see the configuration: say username and passwordFile.'],
  ['{urls: ["valkey:6379"]}', 'sharedState.urls[0]: must be such as "valkey://host:6379", or "valkeys://host:6379" for TLS; redis:// and rediss:// are the same.'],
  ['{urls: ["http://valkey:6379"]}', 'sharedState.urls[0]: must be such as "valkey://host:6379", or "valkeys://host:6379" for TLS; redis:// and rediss:// are the same.'],
  ['{urls: ["valkey://valkey:6379/3"]}', 'sharedState.urls[0]: must end after the port: directors use database 0, and prefix keeps them apart.'],
  ['{urls: ["valkey://valkey:99999"]}', 'sharedState.urls[0]: must have a port from 1 to 65535.'],
  ['{urls: ["valkey://a", "valkey://a"], mode: cluster}', 'sharedState.urls[1]: is given twice: valkey://a.'],
  ['{urls: ["valkey://a", "valkeys://b"], mode: cluster}', 'sharedState.urls: must be all with TLS or all without it.'],
  ['{urls: ["valkey://a", "valkey://b"]}', 'sharedState.urls: must be one with mode single: several ones are sentinels or nodes of a cluster, which mode says.'],
  ['{urls: ["valkey://a"], mode: sentinel}', 'sharedState.sentinelName: is required by mode sentinel: the name of the group of servers, as the sentinels know it.'],
  ['{urls: ["valkey://a"], sentinelName: ud}', 'sharedState.sentinelName: is for mode sentinel only; mode single has no use for it.'],
  ['{urls: ["valkey://a"], caFile: ca.pem}', 'sharedState.caFile: is for TLS only: urls must begin with valkeys:// or rediss://.'],
  ['{urls: ["valkeys://a"], certFile: cert.pem}', 'sharedState.keyFile: is required by certFile: a certificate and its key go together.'],
  ['{urls: ["valkey://a"], username: ud}', 'sharedState.passwordFile: is required by username.'],
  ['{urls: ["valkey://a"], mode: sentinel, sentinelName: ud, sentinelUsername: x}', 'sharedState.sentinelPasswordFile: is required by sentinelUsername.'],
  ['{urls: ["valkey://a"], prefix: "a b"}', 'sharedState.prefix: must be text that matches ^[A-Za-z0-9_-]+$, not "a b".'],
  ['{urls: ["valkey://a"], pasword: x}', 'sharedState.pasword: is not a known key.']
]

void t.test('each fault of sharedState in its exact words', async t => {
  for (const [yaml, ...faults] of golden) t.strictSame(faultsOf(yaml), faults, yaml)
  t.notMatch(golden.map(([yaml]) => faultsOf(yaml)).join(), /hunter2|p@ss/, 'no password is shown')
})

void t.test('files of sharedState are found beside the configuration', async t => {
  const loaded = parseConfig('inventory: {provider: file, path: a}\nsharedState: {urls: ["valkeys://a"], passwordFile: password, caFile: /ca.pem}\n', '/etc/director/config.yaml')
  t.match(loaded, { ok: true, value: { config: { sharedState: { passwordFile: '/etc/director/password', caFile: '/ca.pem', mode: 'single', prefix: 'ud', follow: true, onUnavailable: 'local' } } } })
})

void t.test('what a URL names', async t => {
  t.same(storeAddress('valkey://valkey', 'single'), { ok: true, value: { host: 'valkey', port: 6379, isTls: false } })
  t.same(storeAddress('rediss://[::1]:7000', 'cluster'), { ok: true, value: { host: '::1', port: 7000, isTls: true } })
  t.same(storeAddress('valkeys://sentinel.games', 'sentinel'), { ok: true, value: { host: 'sentinel.games', port: 26_379, isTls: true } })
})
