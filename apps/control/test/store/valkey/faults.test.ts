// What goes wrong with real servers, and what a director has of it.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { systemClock } from '#core/system-clock.js'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { startCluster, startSentinels } from '#testkit/store/store-fleets.js'
import { startServer, withServer, type StoreServer } from '#testkit/store/store-server.js'
import type { Token } from '#wire/token.js'
import { openStarted, openUp, target, type Opened, type OpenStore } from '../conformance.js'
import { opener } from './opening.js'

const shared = { target, minter: 'pod-a' }
const client = '192.0.2.1:1000'

function token (): Token {
  return randomUUID() as string as Token
}

async function mint ({ store }: Opened, one = token()): Promise<string> {
  const result = await store.mint(one, shared, 60_000)
  return result.ok ? 'ok' : result.error
}

async function claim ({ store }: Opened, one: Token): Promise<string> {
  const result = await store.claim({ token: one, dataPort: 'default', client, clientPrefix: '192.0.2.1' })
  return result.ok ? result.value.verdict : result.error
}

function urlOf ({ port }: StoreServer): string {
  return `valkey://127.0.0.1:${port}`
}

/** Opens a store at a server that does not fit, and waits for what is said of it. */
async function reasonAt (t: Test, server: StoreServer, options: Partial<Parameters<typeof opener>[0]> = {}): Promise<string> {
  const opened = await openStarted(t, opener({ urls: [urlOf(server)], ...options }), 'pod-a')
  await until(() => opened.downs.length > 0)
  t.equal(await mint(opened), 'down')
  t.same([opened.ups, opened.downs], [[], [opened.store.reason]])
  return `${opened.store.status}: ${opened.downs[0]!}`
}

void t.test('a server that stops answering: late, then down, and nothing piles up', withServer, async t => {
  const server = await startServer(t)
  const opened = await openUp(t, opener({ urls: [urlOf(server)] }, 250), 'pod-a')
  const [before, stopped] = [token(), token()]
  t.equal(await mint(opened, before), 'ok')
  server.child.kill('SIGSTOP')
  t.equal(await mint(opened, stopped), 'late')
  t.same(opened.downs, [], 'it is late before it is down')
  const outcomes: string[] = []
  let asked = 0
  await until(() => {
    for (let each = 0; each < 20; each++, asked++) void mint(opened).then(outcome => { outcomes.push(outcome) })
    return opened.downs.length > 0
  })
  t.equal(await mint(opened), 'down', 'at once')
  await until(() => outcomes.length === asked)
  t.ok(outcomes.every(outcome => outcome === 'late' || outcome === 'down'))
  t.match(opened.downs, [/Socket timeout/])
  server.child.kill('SIGCONT')
  await until(() => opened.ups.length === 2)
  t.same(opened.ups, [false, true])
  t.equal(await claim(opened, before), 'live')
  t.equal(await claim(opened, stopped), 'live', 'it was in the socket, and was done')
})

void t.test('an idle store that stops answering is found by asking it', withServer, async t => {
  const server = await startServer(t)
  const opened = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  server.child.kill('SIGSTOP')
  await until(() => opened.downs.length > 0)
  server.child.kill('SIGCONT')
  await until(() => opened.ups.length === 2)
})

void t.test('a server that is killed and comes back empty', withServer, async t => {
  const server = await startServer(t)
  const opened = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  const one = token()
  await mint(opened, one)
  await server.kill()
  await until(() => opened.store.status === 'down')
  t.equal(await mint(opened), 'down')
  t.match(opened.store.reason, /closed|ECONNRE/)
  await until(() => /ECONNREFUSED/.test(opened.store.reason ?? ''))
  t.equal(opened.downs.length, 1, 'said once')
  await startServer(t, { port: server.port })
  await until(() => opened.store.status === 'up')
  t.same(opened.ups, [false, true])
  t.equal(await claim(opened, one), 'unknown')
  const other = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-b')
  other.store.send('pod-a', { type: 'void', tokens: [one], cause: 'revoked' })
  await until(() => opened.messages.length === 1, { what: 'subscribed again' })
})

void t.test('a store that is not there yet', withServer, async t => {
  const server = await startServer(t)
  await server.kill()
  const opened = await openStarted(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  t.equal(opened.store.status, 'connecting')
  await until(() => opened.downs.length === 1)
  t.match(opened.downs, [/ECONNREFUSED/])
  await startServer(t, { port: server.port })
  await until(() => opened.ups.length === 1)
  t.same(opened.ups, [false])
})

void t.test('only the connection for messages breaks: it is made again', withServer, async t => {
  const server = await startServer(t)
  const a = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  const b = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-b')
  t.ok(Number(await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')) >= 2)
  await until(() => {
    a.store.send('pod-b', { type: 'redeemed', token: token(), dataPort: 'default', client })
    return b.messages.length > 0
  })
  t.same([a.downs, b.downs], [[], []])
})

void t.test('scripts are flushed: they are sent again', withServer, async t => {
  const server = await startServer(t)
  const opened = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  const one = token()
  await mint(opened, one)
  t.equal(await claim(opened, one), 'live')
  await server.command('SCRIPT', 'FLUSH')
  t.equal(await claim(opened, one), 'live')
  t.ok(opened.calls.every(call => call.endsWith(' ok')))
})

void t.test('the memory is full: writes are refused, and work again', withServer, async t => {
  const server = await startServer(t, { settings: ['--maxmemory', '4mb', '--maxmemory-policy', 'noeviction'] })
  const opened = await openUp(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  const one = token()
  await mint(opened, one)
  await server.command('CONFIG', 'SET', 'maxmemory', '1')
  t.equal(opened.store.refusal, undefined)
  t.equal(await mint(opened), 'refused')
  t.equal(await claim(opened, one), 'refused')
  t.match(opened.store.refusal?.fault, /^OOM /)
  t.equal(opened.store.status, 'up')
  await server.command('CONFIG', 'SET', 'maxmemory', '0')
  t.equal(await claim(opened, one), 'live')
})

void t.test('servers that are not suitable say what to do', withServer, async t => {
  const evicting = await startServer(t, { settings: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] })
  t.match(await reasonAt(t, evicting), /^unsuitable: the server throws keys away .*set maxmemory-policy noeviction/)
  const primary = await startServer(t)
  const replica = await startServer(t, { settings: ['--replicaof', '127.0.0.1', String(primary.port)] })
  await until(async () => /master_link_status:up/.test(String(await replica.command('INFO', 'replication'))))
  t.match(await reasonAt(t, replica), /^unsuitable: the server is a replica/)
  const node = await startServer(t, { settings: ['--cluster-enabled', 'yes'] })
  t.match(await reasonAt(t, node), /^unsuitable: the server is a node of a cluster: sharedState.mode must be cluster/)
  t.match(await reasonAt(t, primary, { mode: 'cluster' }), /^down: .*cluster support disabled/)
})

void t.test('an unsuitable store is suitable once it is repaired', withServer, async t => {
  const server = await startServer(t, { settings: ['--maxmemory', '100mb', '--maxmemory-policy', 'volatile-ttl'] })
  const opened = await openStarted(t, opener({ urls: [urlOf(server)] }), 'pod-a')
  await until(() => opened.store.status === 'unsuitable')
  await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  await until(() => opened.store.status === 'up')
  t.same([opened.ups, opened.downs.length], [[false], 1])
})

void t.test('settings that are changed while it is up', withServer, async t => {
  const server = await startServer(t)
  const open: OpenStore = async (replica, events) => await opener({ urls: [urlOf(server)] }, undefined, { ...systemClock, every: (ms, run) => systemClock.every(ms / 100, run) })(replica, events)
  const opened = await openUp(t, open, 'pod-a')
  await server.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru')
  await until(() => opened.store.status === 'unsuitable')
  t.equal(await mint(opened), 'down')
  t.match(opened.downs, [/set maxmemory-policy noeviction/])
  await server.command('CONFIG', 'SET', 'maxmemory', '0')
  await until(() => opened.store.status === 'up')
})

void t.test('a primary that has become a replica is left', withServer, async t => {
  const [former, next] = [await startServer(t), await startServer(t)]
  const opened = await openUp(t, opener({ urls: [urlOf(former)] }), 'pod-a')
  await former.command('REPLICAOF', '127.0.0.1', String(next.port))
  t.equal(await mint(opened), 'refused')
  await until(() => opened.store.status === 'unsuitable')
  await former.command('REPLICAOF', 'NO', 'ONE')
  await until(() => opened.store.status === 'up')
  t.same(opened.ups, [false, true])
})

void t.test('passwords: wrong, changed in the file, changed at the server', withServer, async t => {
  const folder = await forTest(t, openFolder())
  const passwordFile = folder.write('password', 'wrong\n')
  const server = await startServer(t, { settings: ['--requirepass', 'first'], password: 'first' })
  t.match(await reasonAt(t, server), /^down: .*NOAUTH|Authentication required/)
  t.match(await reasonAt(t, server, { passwordFile }), /^down: WRONGPASS/)
  const opened = await openStarted(t, opener({ urls: [urlOf(server)], passwordFile }), 'pod-a')
  await until(() => opened.downs.length === 1)
  folder.write('password', 'first\n')
  await until(() => opened.store.status === 'up')
  await server.command('CONFIG', 'SET', 'requirepass', 'second')
  t.equal(await mint(opened), 'ok', 'a connection stays what it was')
  folder.write('password', 'second')
  await server.command('CLIENT', 'KILL', 'SKIPME', 'yes')
  await until(() => opened.ups.length === 2)
  const other = await openUp(t, opener({ urls: [urlOf(server)], passwordFile }), 'pod-b')
  await until(() => {
    other.store.send('pod-a', { type: 'redeemed', token: token(), dataPort: 'default', client })
    return opened.messages.length > 0
  })
  await t.rejects(openUp(t, opener({ urls: [urlOf(server)], passwordFile: folder.write('empty', '\n') }), 'pod-c'), /sharedState\.passwordFile: .*empty cannot be used: it is empty\./)
})

/** The rights that k8s/components/valkey gives to directors, for this prefix. */
function rightsOf (prefix: string): readonly string[] {
  const [, words = ''] = /^user udp-director on >PASSWORD (.*)$/m.exec(readFileSync('k8s/components/valkey/users.acl', 'utf8')) ?? []
  return ['on', '>secret', ...words.replaceAll('ud1:', `${prefix}1:`).split(' ')]
}

void t.test('a user with the least that it takes, and one with less', withServer, async t => {
  const folder = await forTest(t, openFolder())
  const passwordFile = folder.write('password', 'secret')
  const server = await startServer(t)
  await server.command('ACL', 'SETUSER', 'director', ...rightsOf('ud'))
  await server.command('ACL', 'SETUSER', 'mute', ...rightsOf('ud').filter(right => !right.startsWith('&')))
  await server.command('ACL', 'SETUSER', 'elsewhere', ...rightsOf('other'))
  await server.command('ACL', 'SETUSER', 'less', ...rightsOf('ud'), '-hdel')
  const opened = await openUp(t, opener({ urls: [urlOf(server)], username: 'director', passwordFile }), 'pod-a')
  t.equal(await mint(opened), 'ok')
  for (const username of ['mute', 'elsewhere', 'less']) {
    t.match(await reasonAt(t, server, { username, passwordFile }), `unsuitable: the user ${username} may not do what directors need (`)
  }
})

void t.test('a fail-over by sentinels', withServer, async t => {
  const { name, sentinels, primary, replica } = await startSentinels(t)
  const opened = await openUp(t, opener({ urls: sentinels.map(urlOf), mode: 'sentinel', sentinelName: name }), 'pod-a')
  const one = token()
  await mint(opened, one)
  await until(async () => await replica.command('EXISTS', `ud1:t:{${one}}`) === 1)
  await primary.kill()
  await until(() => opened.downs.length === 1)
  await until(() => opened.ups.length === 2)
  t.equal(await claim(opened, one), 'live')
})

void t.test('a node of a cluster goes: what is on the others goes on', withServer, async t => {
  const nodes = await startCluster(t)
  const opened = await openUp(t, opener({ urls: nodes.map(urlOf), mode: 'cluster' }, 1000), 'pod-a')
  await nodes[2]!.kill()
  const outcomes = new Set<string>()
  await until(async () => {
    outcomes.add(await mint(opened))
    return outcomes.size > 1
  })
  t.ok(outcomes.has('ok'))
  t.notOk(outcomes.has('down'))
  await Promise.all(nodes.slice(0, 2).map(async node => { await node.kill() }))
  await until(() => opened.store.status === 'down')
  t.equal(await mint(opened), 'down')
})
