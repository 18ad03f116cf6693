// What the twin does to its clients, and what a real store has in common with it. What calls mean is held by the conformance suite.
import t from 'tap'
import type { ReplicaMessage, SharedStore } from '../../../apps/control/src/store/shared-store.js'
import type { Token } from '#wire/token.js'
import { createFakeClock, type FakeClock } from '../../fake-clock.js'
import { StoreTwin } from '../../store/store-twin.js'

const DEADLINE_MS = 250
const target = { key: 'gameserver/games/arena-1', address: '203.0.113.7', ports: { default: 7777 } }
const shared = { target, minter: 'a' }

let made = 0
function token (): Token {
  return `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}` as Token
}

interface Replica {
  readonly store: SharedStore
  readonly told: string[]
  readonly messages: ReplicaMessage[]
}

class Rig {
  readonly clock: FakeClock = createFakeClock()
  readonly twin = new StoreTwin({ clock: this.clock, random: () => 0.5 })

  open (name: string): Replica {
    const told: string[] = []
    const messages: ReplicaMessage[] = []
    const store = this.twin.open(name, {
      onUp: isAgain => { told.push(isAgain ? 'up again' : 'up') },
      onDown: reason => { told.push(`${store.status}: ${reason}`) },
      onMessage: message => { messages.push(message) },
      onNewerRecord: () => { told.push('newer') },
      onCall: () => undefined
    }, DEADLINE_MS)
    store.start()
    return { store, told, messages }
  }

  /** Moves time, and lets what waits for promises run at each step. */
  async pass (ms: number): Promise<void> {
    for (let step = 0; step <= ms; step++) {
      await new Promise<void>(resolve => { setImmediate(resolve) })
      if (step < ms) this.clock.advance(1)
    }
  }

  /** What `asked` says within `ms`; undefined if nothing. */
  async answer<Value> (asked: Promise<Value>, ms: number): Promise<Value | undefined> {
    let value: Value | undefined
    void asked.then(said => { value = said })
    await this.pass(ms)
    return value
  }

  async claim ({ store }: Replica, one: Token, client = '192.0.2.1:1000', ms = 10): Promise<string | undefined> {
    const result = await this.answer(store.claim({ token: one, dataPort: 'default', client, clientPrefix: client }), ms)
    return result?.ok === true ? result.value.verdict : result?.error
  }

  async mint ({ store }: Replica, one: Token, ms = 10): Promise<string | undefined> {
    const result = await this.answer(store.mint(one, shared, 30_000), ms)
    return result?.ok === true ? 'ok' : result?.error
  }
}

void t.test('slow, lost and late answers', async t => {
  const rig = new Rig()
  const a = rig.open('a')
  await rig.pass(5)
  t.same(a.told, ['up'])
  const one = token()
  rig.twin.setWeather({ leastMs: 20, mostMs: 20 })
  t.equal(await rig.mint(a, one, 39), undefined)
  t.equal(await rig.mint(a, one, 45), 'ok')
  rig.twin.setWeather({ lateReplies: 1 })
  t.equal(await rig.claim(a, one, undefined, DEADLINE_MS - 1), undefined)
  t.equal(await rig.claim(a, one, undefined, DEADLINE_MS + 1), 'late')
  rig.twin.setWeather({ lostReplies: 1 })
  const two = token()
  t.equal(await rig.mint(a, two, DEADLINE_MS + 1), 'late')
  rig.twin.setWeather({ lostRequests: 1 })
  const three = token()
  t.equal(await rig.mint(a, three, DEADLINE_MS + 1), 'late')
  rig.twin.setWeather({})
  t.equal(await rig.claim(a, one, '192.0.2.2:1000'), 'consumed', 'the late one was executed')
  t.equal(await rig.claim(a, two), 'live', 'so was the one whose answer was lost')
  t.equal(await rig.claim(a, three), 'unknown')
  t.same(a.told, ['up'])
})

void t.test('down and up, empty', async t => {
  const rig = new Rig()
  const [a, b] = [rig.open('a'), rig.open('b')]
  await rig.pass(5)
  const one = token()
  await rig.mint(a, one)
  rig.twin.setWeather({ leastMs: 10, mostMs: 10 })
  const underWay = a.store.claim({ token: one, dataPort: 'default', client: '192.0.2.1:1000', clientPrefix: '' })
  await rig.pass(5)
  rig.twin.goDown()
  t.same(await rig.answer(underWay, 0), { ok: false, error: 'late' }, 'nobody knows')
  rig.twin.setWeather({})
  t.equal(await rig.claim(a, one, undefined, 0), 'down')
  t.same(a.told, ['up', 'down: connection refused'])
  rig.twin.empty()
  rig.twin.comeUp()
  await rig.pass(100)
  t.same([a.told.at(-1), b.told.at(-1)], ['up again', 'up again'])
  t.equal(await rig.claim(a, one), 'unknown')
  rig.twin.setUnsuitable('it throws keys away')
  t.same(a.told.at(-1), 'unsuitable: it throws keys away')
  rig.twin.setUnsuitable(undefined)
  await rig.pass(100)
  t.ok(rig.twin.isWhole)
  await a.store.close()
  t.equal(await rig.claim(a, one, undefined, 0), 'down')
})

void t.test('it is not there at the start', async t => {
  const rig = new Rig()
  rig.twin.goDown()
  const a = rig.open('a')
  t.equal(a.store.status, 'connecting')
  await rig.pass(5)
  t.same(a.told, ['down: connection refused'])
  rig.twin.comeUp()
  await rig.pass(100)
  t.same(a.told.at(-1), 'up')
})

void t.test('paused: late, then down, and done when it wakes', async t => {
  const rig = new Rig()
  const a = rig.open('a')
  await rig.pass(5)
  rig.twin.pause()
  const one = token()
  t.equal(await rig.mint(a, one, DEADLINE_MS + 1), 'late')
  t.same(a.told, ['up'])
  await rig.pass(1000)
  t.same(a.told, ['up', 'down: it does not answer'])
  rig.twin.wake()
  await rig.pass(200)
  t.same(a.told.at(-1), 'up again')
  t.equal(await rig.claim(a, one), 'live')
})

void t.test('a fail-over forgets the last of what it had', async t => {
  const rig = new Rig()
  const a = rig.open('a')
  await rig.pass(5)
  const [kept, claimed, lost] = [token(), token(), token()]
  await rig.mint(a, kept)
  await rig.mint(a, claimed)
  await rig.pass(100)
  await rig.claim(a, claimed)
  await rig.mint(a, lost)
  rig.twin.failOver(60, 2000)
  t.same(a.told.at(-1), 'down: the primary is gone')
  await rig.pass(1999)
  t.same(a.store.status, 'down')
  await rig.pass(200)
  t.equal(await rig.claim(a, kept), 'live')
  t.equal(await rig.claim(a, claimed, '192.0.2.2:1000'), 'live', 'the former claim is forgotten')
  t.equal(await rig.claim(a, lost), 'unknown')
})

void t.test('two primaries, and one of them stays', async t => {
  for (const stays of ['first', 'second'] as const) {
    const rig = new Rig()
    const [a, b] = [rig.open('a'), rig.open('b')]
    await rig.pass(5)
    const [before, after] = [token(), token()]
    await rig.mint(a, before)
    rig.twin.split(['b'])
    await rig.pass(200)
    t.same([a.told.length, b.told.at(-1)], [1, 'up again'])
    t.equal(await rig.claim(a, before, '192.0.2.1:1000'), 'live')
    t.equal(await rig.claim(b, before, '192.0.2.2:1000'), 'live', 'once on each side')
    await rig.mint(b, after)
    t.equal(await rig.claim(a, after), 'unknown')
    a.store.send(undefined, { type: 'void', tokens: [before], cause: 'revoked' })
    await rig.pass(10)
    t.same(b.messages, [])
    rig.twin.heal(stays)
    await rig.pass(200)
    t.same([a.told.at(-1), b.told.at(-1)], stays === 'first' ? ['up', 'up again'] : ['up again', 'up again'])
    t.equal(await rig.claim(a, before, '192.0.2.2:1000'), stays === 'first' ? 'consumed' : 'live')
    t.equal(await rig.claim(a, after), stays === 'first' ? 'unknown' : 'live')
  }
})

void t.test('one replica is cut off; messages are lost', async t => {
  const rig = new Rig()
  const [a, b] = [rig.open('a'), rig.open('b')]
  await rig.pass(5)
  rig.twin.cut('b')
  t.same([a.told, b.told], [['up'], ['up', 'down: no route to host']])
  const message: ReplicaMessage = { type: 'void', tokens: [token()], cause: 'revoked' }
  a.store.send('b', message)
  await rig.pass(10)
  rig.twin.reconnect('b')
  await rig.pass(200)
  rig.twin.setWeather({ lostMessages: 1 })
  a.store.send('b', message)
  await rig.pass(10)
  t.same(b.messages, [])
  rig.twin.setWeather({})
  a.store.send('b', message)
  await rig.pass(10)
  t.same(b.messages, [message])
})
