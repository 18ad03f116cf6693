import t from 'tap'
import { KEEP_PERIOD_MS } from '../../../src/replicas/sessions/keep-rounds.js'
import { settled, target, threeReplicas, TIMEOUT_MS } from './replicas-here.js'

const client = '192.0.2.1:4711'
const [x, y, z] = [target('x'), target('y'), target('z')]

void t.test('data that arrives at another replica goes on there; the session that was left ends within half a minute and a sweep', async t => {
  const { a, b, pass, sessionsOf } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key])
  t.equal(b.proxy.followed, 1)
  t.same(a.proxy.told.map(({ change }) => change), ['seen'])
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
  t.strictSame([a.proxy.followed, b.proxy.followed], [0, 1])
})

void t.test('a reset at another replica moves the session that was left', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.token(client, y)
  await pass(50)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [y.key, y.key])
  await pass(1000)
  t.same(a.proxy.told.map(({ change }) => change), ['moved', 'seen'])
  t.same(b.proxy.told, [])
  await pass(40_000)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [undefined, y.key], 'and ends, because the client is there')
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
    for (const { proxy } of [a, b, c]) proxy.data(client)
    const found = await settled(pass, c.store.find(client))
    const at = found.ok ? found.value?.target.key : undefined
    t.strictSame([a.proxy.at(client), b.proxy.at(client), c.proxy.at(client)], [at, at, at], `round ${round}`)
  }
})

void t.test('an event that a call has overtaken: the proxy is told once more what holds', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(50)
  b.proxy.eventMs = 100
  b.proxy.token(client, z)
  await pass(20)
  a.proxy.token(client, y)
  await pass(40)
  t.equal(b.proxy.at(client), y.key, 'told before its own event is heard')
  await pass(500)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [z.key, z.key])
})

void t.test('a message that is older than what is on its way moves nothing', async t => {
  const { a, b, c, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(50)
  b.proxy.data(client)
  await pass(50)
  twin.setWeather({ leastMs: 50, mostMs: 50 })
  a.proxy.token(client, y)
  await pass(120)
  b.proxy.token(client, z)
  await pass(500)
  t.strictSame([a.proxy.at(client), b.proxy.at(client), c.proxy.at(client)], [z.key, z.key, undefined])
  t.same(b.proxy.told.filter(({ change }) => change === 'moved'), [])
})

void t.test('a binding that is written late does not take the place of a newer one', async t => {
  const { a, b, c, twin, pass } = await threeReplicas()
  twin.setWeather({ lostRequests: 1 })
  b.proxy.token(client, x)
  await pass(10)
  twin.setWeather({})
  await pass(300)
  c.proxy.token(client, y)
  await pass(2000)
  t.strictSame([b.proxy.at(client), c.proxy.at(client)], [y.key, y.key])
  a.proxy.data(client)
  await pass(50)
  t.strictSame(a.proxy.forwarded, [y.key])
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
  t.equal(a.proxy.followed, 1)
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
  for (let ms = 0; ms < KEEP_PERIOD_MS * 1.5; ms += 10_000) {
    await pass(10_000)
    a.proxy.data(client)
  }
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
