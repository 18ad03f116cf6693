import t from 'tap'
import { KEEP_PERIOD_MS } from '../../../src/replicas/sessions/keep-rounds.js'
import { replicasHere, target, TIMEOUT_MS, type Here, type ReplicasHere } from './replicas-here.js'

const client = '192.0.2.1:4711'
const [x, y, z] = [target('x'), target('y'), target('z')]

async function threeReplicas (): Promise<ReplicasHere & { readonly a: Here, readonly b: Here, readonly c: Here }> {
  const here = replicasHere()
  const [a, b, c] = [here.open('a'), here.open('b'), here.open('c')]
  await here.pass(100)
  return { ...here, a, b, c }
}

void t.test('data that arrives at another replica goes on there; the session that was left ends within half a minute and a sweep', async t => {
  const { a, b, pass, sessionsOf } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key])
  t.equal(b.counted.followed, 1)
  t.equal(a.counted.seenElsewhere, 1)
  t.equal(sessionsOf(client), 2)
  for (let second = 0; second < 40; second++) {
    b.proxy.data(client)
    await pass(1000)
  }
  t.equal(sessionsOf(client), 1)
  t.equal(b.proxy.at(client), x.key)
})

void t.test('150 clients that move twice are 150 sessions', async t => {
  const { a, b, c, all, pass } = await threeReplicas()
  const clients = Array.from({ length: 150 }, (_, at) => `192.0.2.9:${10_000 + at}`)
  for (const each of clients) a.proxy.token(each, x)
  await pass(100)
  for (const replica of [b, c]) {
    for (const each of clients) replica.proxy.data(each)
    await pass(5000)
  }
  for (let second = 0; second < 50; second += 5) {
    for (const each of clients) c.proxy.data(each)
    await pass(5000)
  }
  t.equal(all.reduce((sum, { proxy }) => sum + proxy.sessions.size, 0), 150)
  t.equal(c.proxy.forwarded.filter(key => key === x.key).length, 150 * 11)
})

void t.test('two data ports of one client at two replicas: both go on, and neither ends the other', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  for (let second = 0; second < 200; second += 4) {
    a.proxy.data(client)
    b.proxy.data(client)
    await pass(4000)
  }
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [x.key, x.key])
  t.equal(a.proxy.forwarded.length, 50)
  t.equal(b.proxy.forwarded.length, 50)
  // One that were ended would have been followed again and again.
  t.strictSame([a.counted.followed, b.counted.followed], [0, 1])
})

void t.test('a reset at another replica moves the session that was left', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.token(client, y)
  await pass(50)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [y.key, y.key])
  await pass(1000)
  t.same(a.proxy.told.map(({ change }) => change), ['moved'])
  t.same(b.proxy.told, [])
})

void t.test('resets that cross: all replicas end up at the same target, whatever was late', async t => {
  const { a, b, c, twin, pass } = await threeReplicas()
  twin.setWeather({ leastMs: 1, mostMs: 60 })
  for (const { proxy } of [a, b, c]) proxy.eventMs = 40
  a.proxy.token(client, x)
  await pass(200)
  b.proxy.data(client)
  c.proxy.data(client)
  await pass(500)
  for (let round = 0; round < 20; round++) {
    a.proxy.token(client, y, `y${round}`)
    await pass(round)
    b.proxy.token(client, z, `z${round}`)
    await pass(round % 7)
    c.proxy.move(client, x)
    await pass(1500)
    const found = await settled(pass, c.store.find(client))
    const at = found.ok ? found.value?.target.key : undefined
    t.strictSame([a.proxy.at(client), b.proxy.at(client), c.proxy.at(client)], [at, at, at], `round ${round}`)
  }
})

void t.test('a client that comes back within half a minute is one session again', async t => {
  const { a, b, pass, sessionsOf } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(5000)
  for (let second = 0; second < 80; second += 5) {
    a.proxy.data(client)
    await pass(5000)
  }
  t.equal(sessionsOf(client), 1)
  t.equal(a.proxy.at(client), x.key)
  t.equal(b.proxy.at(client), undefined)
})

void t.test('a client that comes back later is followed back', async t => {
  const { a, b, pass, sessionsOf } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  for (let second = 0; second < 60; second += 5) {
    b.proxy.data(client)
    await pass(5000)
  }
  t.equal(a.proxy.at(client), undefined)
  for (let second = 0; second < 60; second += 5) {
    a.proxy.data(client)
    await pass(5000)
  }
  t.equal(a.proxy.at(client), x.key)
  t.equal(a.counted.followed, 1)
  t.equal(sessionsOf(client), 1)
})

void t.test('a session that was moved between being found and being known here is moved here, too', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  twin.setWeather({ leastMs: 50, mostMs: 50 })
  b.proxy.data(client)
  // It was found at x; the reset is there before B is among those that are told.
  await pass(40)
  a.proxy.token(client, y)
  await pass(1000)
  t.equal(b.proxy.at(client), y.key)
})

void t.test('a store that was emptied has the bindings again within a minute', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  twin.empty()
  for (let second = 0; second < KEEP_PERIOD_MS / 1000; second += 5) {
    a.proxy.data(client)
    await pass(5000)
  }
  b.proxy.data(client)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key])
})

void t.test('a store that comes back empty has them at once, also those that changed meanwhile', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  const other = '192.0.2.2:4711'
  a.proxy.token(client, x)
  a.proxy.token(other, x)
  await pass(100)
  twin.goDown()
  await pass(1000)
  a.proxy.token(other, y)
  await pass(1000)
  twin.empty()
  twin.comeUp()
  await pass(500)
  b.proxy.data(client)
  b.proxy.data(other)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key, y.key])
})

void t.test('strangers are told none at once while the store is down', async t => {
  const { b, twin, pass } = await threeReplicas()
  twin.goDown()
  await pass(10)
  b.proxy.data(client)
  t.strictSame(b.proxy.forwarded, ['none'])
})

void t.test('a store that does not answer in time: late, and nothing else', async t => {
  const { b, twin, pass } = await threeReplicas()
  twin.pause()
  b.proxy.data(client)
  await pass(400)
  t.strictSame(b.proxy.forwarded, ['late'])
})

void t.test('keep does not overwrite what another replica bound since', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  // The message that A's copy has moved is lost.
  twin.setWeather({ lostMessages: 1 })
  b.proxy.token(client, y)
  await pass(100)
  twin.setWeather({})
  t.equal(a.proxy.at(client), x.key)
  a.proxy.data(client)
  await pass(KEEP_PERIOD_MS * 1.5)
  const found = await settled(pass, b.store.find(client))
  t.equal(found.ok && found.value?.target.key, y.key)
  t.equal(a.proxy.at(client), y.key, 'and A follows what is newer')
})

void t.test('what changes while a list is under way is not written from the list', async t => {
  const { a, b, pass } = await threeReplicas()
  const [changed, ended, quiet] = ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:3']
  for (const each of [changed, ended, quiet]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.listMs = 200
  a.part.onProxyUp?.()
  await pass(100)
  a.proxy.token(changed, y)
  a.proxy.end(ended)
  await pass(1000)
  for (const [each, key] of [[changed, y.key], [ended, undefined], [quiet, x.key]] as const) {
    const found = await settled(pass, b.store.find(each))
    t.equal(found.ok && found.value?.target.key, key)
  }
})

void t.test('a control process that restarts: sessions that changed meanwhile win, those that others moved do not', async t => {
  const { a, b, pass, open } = await threeReplicas()
  const [changed, moved, quiet] = ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:3']
  for (const each of [changed, moved, quiet]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.isSynchronised = false
  await a.close()
  a.proxy.token(changed, y, 'home')
  b.proxy.token(moved, z, 'away')
  await pass(1000)
  a.proxy.isSynchronised = true
  const again = open('a#2', { proxy: a.proxy })
  await pass(1000)
  t.strictSame([changed, moved, quiet].map(each => a.proxy.at(each)), [y.key, z.key, x.key])
  for (const [each, key] of [[changed, y.key], [moved, z.key], [quiet, x.key]] as const) {
    const found = await settled(pass, again.store.find(each))
    t.equal(found.ok && found.value?.target.key, key)
    t.ok(found.ok && found.value?.replicas.includes('a#2'), 'and those who move it tell the new life')
  }
})

void t.test('a proxy that comes back without its sessions: its clients are followed home', async t => {
  const { a, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  a.proxy.sessions.clear()
  a.part.onProxyUp?.()
  await pass(100)
  a.proxy.data(client)
  await pass(100)
  t.strictSame(a.proxy.forwarded, [x.key])
})

void t.test('a proxy that was away: what changed meanwhile is told, and what others told is done', async t => {
  const { a, b, pass } = await threeReplicas()
  const [here, there] = ['192.0.2.1:1', '192.0.2.1:2']
  for (const each of [here, there]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.isSynchronised = false
  a.proxy.token(here, y)
  b.proxy.token(there, z)
  await pass(1000)
  t.equal(a.proxy.at(there), x.key)
  a.proxy.isSynchronised = true
  a.part.onProxyUp?.()
  await pass(100)
  t.equal(a.proxy.at(there), z.key)
  b.proxy.data(here)
  await pass(100)
  t.strictSame(b.proxy.forwarded, [y.key])
})

void t.test('a binding whose target is not allowed here, or is gone, is not followed', async t => {
  const { a, b, pass, open } = await threeReplicas()
  const stays = open('d', { staysOnGone: true })
  await pass(100)
  a.proxy.token(client, x)
  await pass(100)
  for (const [replica, verdict, expected] of [[b, 'refused', 'none'], [b, 'gone', 'none'], [stays, 'gone', x.key]] as const) {
    replica.verdicts.set(x.key, verdict)
    replica.proxy.data(client)
    await pass(50)
    t.equal(replica.proxy.forwarded.at(-1), expected)
  }
  t.equal(b.counted.refused, 1)
})

void t.test('a session is not moved to a target that is not allowed here, whatever a message or the store says', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  a.verdicts.set(y.key, 'refused')
  b.proxy.token(client, y)
  await pass(KEEP_PERIOD_MS * 1.5)
  t.equal(a.proxy.at(client), x.key)
  t.ok(a.counted.refused > 0)
})

void t.test('operators: a session elsewhere is found, moved and ended by its client, and stays so', async t => {
  const { a, b, c, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(50)
  const { shared } = c.part
  const found = await settled(pass, shared.find(client))
  t.strictSame(found.ok && found.value && { ...found.value, replicas: [...found.value.replicas].sort() }, { client, target: x, replicas: ['a', 'b'] })
  const moved = await settled(pass, shared.move(client, y))
  t.strictSame(moved.ok && [...moved.value?.replicas ?? []].sort(), ['a', 'b'])
  await pass(50)
  const binding = await settled(pass, c.store.find(client))
  t.strictSame(binding.ok && [...binding.value?.replicas ?? []].sort(), ['a', 'b'], 'who acts has no session')
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [y.key, y.key])
  const ended = await settled(pass, shared.end(client))
  t.strictSame(ended.ok && [...ended.value?.replicas ?? []].sort(), ['a', 'b'])
  await pass(50)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [undefined, undefined])
  c.proxy.data(client)
  await pass(KEEP_PERIOD_MS * 2)
  t.strictSame(c.proxy.forwarded, ['none'])
  t.strictSame(await settled(pass, shared.find(client)), { ok: true, value: undefined })
  t.strictSame(await settled(pass, shared.end(client)), { ok: true, value: undefined })
  t.strictSame(await settled(pass, shared.move(client, y)), { ok: true, value: undefined })
})

void t.test('a session that is only let go when its replica stops goes on elsewhere', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  await a.close()
  await pass(1000)
  b.proxy.data(client)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key])
})

void t.test('a session that timed out everywhere is forgotten', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  for (let ms = 0; ms < TIMEOUT_MS + 120_000; ms += 10_000) await pass(10_000)
  t.equal(twin.data.text(`ud1:s:${client}`), undefined)
})

async function settled<Value> (pass: (ms: number) => Promise<void>, asked: Promise<Value>): Promise<Value> {
  const answers: Value[] = []
  void asked.then(answer => { answers.push(answer) })
  while (answers.length === 0) await pass(10)
  return answers[0]!
}
