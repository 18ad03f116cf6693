import t, { type Test } from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import type { Token } from '#wire/token.js'
import { conforms, openUp, target, type Opened } from './conformance.js'

void t.test('the twin is a store', async t => {
  const clock = createFakeClock()
  const twin = new StoreTwin({ clock, random: Math.random })
  twin.setWeather({ leastMs: 0.2, mostMs: 2 })
  await whileTimeGoesOn(clock, async () => { await conforms(t, (replica, events) => twin.open(replica, events, 10_000)) })
  t.same(twin.data.keys.filter(key => twin.data.ttl(key) === Infinity), ['ud1:key'], 'nothing else lives for ever')
})

async function whileTimeGoesOn (clock: FakeClock, run: () => Promise<void>): Promise<void> {
  let isOver = false
  const running = run().finally(() => { isOver = true })
  await until(() => {
    clock.advance(2)
    return isOver
  }, { pollMs: 1 })
  await running
}

const token = '00000000-0000-4000-8000-000000000001' as Token
const client = '192.0.2.1:1000'
const sound = JSON.stringify({ v: 1, t: target, h: 'pod-b', more: true })

void t.test('what others wrote is checked before it is used', async t => {
  const clock = createFakeClock()
  const twin = new StoreTwin({ clock, random: Math.random })
  await whileTimeGoesOn(clock, async () => {
    const opened = await openUp(t, (replica, events) => twin.open(replica, events, 10_000), 'pod-a')
    const claimed = async (record: string): Promise<unknown> => {
      twin.data.set(`ud1:t:{${token}}`, record, 60_000)
      return await opened.store.claim({ token, dataPort: 'default', client, clientPrefix: '192.0.2.1' })
    }
    const found = async (record: string): Promise<unknown> => {
      twin.data.set(`ud1:s:${client}`, record, 60_000)
      return await opened.store.find(client)
    }
    const refused = { ok: false, error: 'refused' }
    t.match(await claimed(`- ${sound}`), { ok: true, value: { verdict: 'live', token: { target, minter: 'pod-b' } } }, 'fields that are not known are passed over')
    t.same(await found(`5 0 pod-b ${sound}`), { ok: true, value: { target, sequence: 5, replicas: ['pod-b'] } })
    for (const json of ['', 'x', '[]', 'null', '{}', '{"v":0}', '{"v":"1"}', '{"v":1}', changed({ address: 7 }), changed({ ports: { default: 0 } }), changed({ key: '' }), changed({ ports: undefined })]) {
      t.same(await claimed(`- ${json}`), refused, json)
      t.same(await found(`5 0 pod-b ${json}`), refused, json)
    }
    for (const record of ['', '5', `x 0 - ${sound}`, `1234567890123456 0 - ${sound}`]) t.same(await found(record), refused, record)
    t.equal(opened.newer(), 0)
    const newer = sound.replace('"v":1', '"v":2')
    t.same(await claimed(`- ${newer}`), { ok: true, value: { verdict: 'unknown' } })
    t.same(await found(`5 0 pod-b ${newer}`), { ok: true, value: undefined })
    t.equal(opened.newer(), 2)
    await holdsKeys(t, twin, opened)
    await hearsNoNonsense(t, twin, opened)
  })
})

function changed (part: object): string {
  return JSON.stringify({ v: 1, t: { ...target, ...part }, h: 'pod-b' })
}

async function holdsKeys (t: Test, twin: StoreTwin, { store }: Opened): Promise<void> {
  const [own, other] = ['a'.repeat(32), 'b'.repeat(32)]
  for (const nonsense of ['nonsense', `${other}${other} - 5`]) {
    twin.data.set('ud1:key', nonsense, Infinity)
    t.match(await store.keys(own, 1e9), { ok: true, value: { current: own } }, 'written anew')
  }
  twin.data.set('ud1:key', `${other} nonsense 5`, Infinity)
  t.same(await store.keys(own, 1e15), { ok: false, error: 'refused' })
}

async function hearsNoNonsense (t: Test, twin: StoreTwin, { store, messages, newer }: Opened): Promise<void> {
  const before = newer()
  const envelope = (m: unknown, v = 1): string => JSON.stringify({ v, f: 'pod-b', m })
  const good = { type: 'void', tokens: [token], cause: 'revoked' }
  for (const text of ['', '{}', envelope(undefined), envelope({}), envelope({ ...good, tokens: ['x'] }), envelope({ type: 'other' }), envelope({ type: 'counts', replica: 'x', sessions: { a: -1 }, isAll: true }), envelope(good, 2), envelope(good)]) {
    twin.publish('ud1:to:pod-a', text)
  }
  await until(() => messages.length > 0)
  t.same(messages, [good])
  t.equal(newer(), before + 1)
  t.equal(store.status, 'up')
}
