// The life of the keys that replicas share: what each marks with and knows, from the first reading to the end of a former key.
import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { isMarked, markedToken, tokenKeyFrom } from '#wire/token-mac.js'
import { TOKEN_WORDS, writeTokenWords, type Token } from '#wire/token.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { KEPT_MS, LEAD_MS, READ_MS, ROTATE_MS, SharedKeys } from '../../../src/replicas/tokens/shared-keys.js'
import type { SharedStore } from '../../../src/store/shared-store.js'
import { TokenKeys } from '../../../src/tokens/token-keys.js'

const HOUR_MS = 3_600_000

interface Replica {
  readonly keys: TokenKeys
  readonly store: SharedStore
  /** How often the proxy was told of new keys. */
  keysTold: number
  readonly query: () => Token
}

// Replicas that share keys and do nothing else: days go by here.
class Rig {
  readonly clock = createFakeClock(1000)
  readonly twin = new StoreTwin({ clock: this.clock, random: () => 0 })

  open (name: string): Replica {
    const { clock, twin } = this
    const makeTokenKey = (): string => randomBytes(16).toString('hex')
    const keys = new TokenKeys(makeTokenKey(), () => { replica.keysTold++ }, true)
    const store = twin.open(name, {
      onUp: () => { void shared.onStoreUp() },
      onDown: () => undefined,
      onMessage: () => undefined,
      onNewerRecord: () => undefined,
      onCall: () => undefined
    }, 250)
    const shared = new SharedKeys({ clock, random: () => 0, store, keys, makeTokenKey })
    const replica: Replica = { keys, store, keysTold: 0, query: () => markedToken(randomUUID() as string as Token, keys.marking) }
    return replica
  }

  async start (...names: string[]): Promise<Replica[]> {
    const replicas = names.map(name => this.open(name))
    for (const { store } of replicas) store.start()
    await this.settle()
    return replicas
  }

  async settle (ms = 0): Promise<void> {
    this.clock.advance(ms)
    // There and back, and what comes of it.
    for (const step of ['reach', 'call', 'execute', 'answer']) {
      await nextTurn(step)
      this.clock.advance(0)
    }
  }
}

function isKnown (token: Token, { keys }: Replica): boolean {
  const words = new Uint32Array(TOKEN_WORDS)
  writeTokenWords(token, words)
  return keys.told.some(key => isMarked(words, tokenKeyFrom(key)))
}

void t.test('all replicas know the key of the first, and those that come later, too', async t => {
  const rig = new Rig()
  const [a, b] = await rig.start('a', 'b') as [Replica, Replica]
  const [c] = await rig.start('c') as [Replica]
  t.equal(a.keys.told.length, 1)
  t.strictSame([b.keys.told, c.keys.told], [a.keys.told, a.keys.told])
  for (const minter of [a, b, c]) for (const other of [a, b, c]) t.ok(isKnown(minter.query(), other))
})

void t.test('a key changes once a day, and no live token is unknown to any replica on the way', async t => {
  const rig = new Rig()
  // They read at other moments of a minute.
  const [a] = await rig.start('a') as [Replica]
  await rig.settle(READ_MS / 2)
  const [b] = await rig.start('b') as [Replica]
  const first = a.keys.told[0]!
  const live: Array<{ readonly token: Token, readonly untilMs: number }> = []
  const seen = new Set<string>()
  const endMs = rig.clock.now() + 2 * ROTATE_MS + 4 * HOUR_MS
  // Small steps where something changes, and large ones where nothing does.
  while (rig.clock.now() < endMs) {
    const now = rig.clock.now()
    const isNearChange = a.keys.told.length > 1 || (now % ROTATE_MS) > ROTATE_MS - HOUR_MS
    await rig.settle(isNearChange ? READ_MS : HOUR_MS)
    for (const replica of [a, b]) {
      live.push({ token: replica.query(), untilMs: rig.clock.now() + HOUR_MS })
      seen.add(replica.keys.told[0]!)
    }
    while (live[0] !== undefined && live[0].untilMs < rig.clock.now()) live.shift()
    const unknown = live.filter(({ token }) => !isKnown(token, a) || !isKnown(token, b))
    if (unknown.length > 0) {
      t.fail(`${unknown.length} tokens are unknown at ${rig.clock.now()}`)
      break
    }
  }
  t.equal(seen.size, 3, 'a new key each day, once for both')
  t.notOk(a.keys.told.includes(first), 'and the first one is forgotten')
  t.strictSame(a.keys.told, b.keys.told)
})

void t.test('a new key marks nothing before its lead is over, and the former one stays known for the longest life of a token after that', async t => {
  const rig = new Rig()
  const [a] = await rig.start('a') as [Replica]
  const former = a.keys.told[0]!
  await rig.settle(ROTATE_MS)
  while (a.keys.told[0] === former) await rig.settle(READ_MS)
  const madeMs = rig.clock.now()
  const [current] = a.keys.told
  t.equal(a.keysTold, 2, 'the proxy is told in the same turn')
  t.strictSame(a.keys.marking, tokenKeyFrom(former))
  await rig.settle(LEAD_MS - READ_MS)
  t.strictSame(a.keys.marking, tokenKeyFrom(former))
  await rig.settle(2 * READ_MS)
  t.strictSame(a.keys.marking, tokenKeyFrom(current!))
  await rig.settle(madeMs + KEPT_MS - 2 * READ_MS - rig.clock.now())
  t.strictSame(a.keys.told, [current, former])
  await rig.settle(4 * READ_MS)
  t.strictSame(a.keys.told, [current])
})

void t.test('a replica that comes in the middle of a change marks as the others do', async t => {
  const rig = new Rig()
  const [a] = await rig.start('a') as [Replica]
  const [former] = a.keys.told
  while (a.keys.told[0] === former) await rig.settle(HOUR_MS / 2)
  const [b] = await rig.start('b') as [Replica]
  t.strictSame(b.keys.told, a.keys.told)
  t.strictSame(b.keys.marking, a.keys.marking)
})

void t.test('a store that has lost its keys is given those that replicas know', async t => {
  const rig = new Rig()
  const [a, b] = await rig.start('a', 'b') as [Replica, Replica]
  const { told } = a.keys
  rig.twin.empty()
  await rig.settle(READ_MS)
  const [c] = await rig.start('c') as [Replica]
  t.strictSame([a.keys.told, b.keys.told, c.keys.told], [told, told, told])
})

void t.test('a store that was emptied, where a replica that has just come is first: all mark with its key at once', async t => {
  const rig = new Rig()
  const [a] = await rig.start('a') as [Replica]
  const before = a.query()
  rig.twin.empty()
  const [b] = await rig.start('b') as [Replica]
  await rig.settle(READ_MS)
  const [current] = b.keys.told
  t.equal(a.keys.told[0], current)
  t.ok(isKnown(a.query(), b), 'a former key marks no more: nobody who is new knows it')
  t.ok(isKnown(before, a), 'and what it has marked stays known where it was made')
})

void t.test('a replica that starts without the store marks with a key of its own, and tells its proxy none', async t => {
  const rig = new Rig()
  const [a] = await rig.start('a') as [Replica]
  const b = rig.open('b')
  rig.twin.cut('b')
  b.store.start()
  await rig.settle()
  const token = b.query()
  t.notOk(isKnown(token, a))
  t.strictSame([b.keys.told, b.keysTold], [[], 0], 'by a key of its own alone, tokens of all others would be forged')
  rig.twin.reconnect('b')
  await rig.settle(200)
  t.strictSame(b.keys.told, a.keys.told)
  t.equal(b.keysTold, 1)
})

void t.test('what is in the place of a key and is none is passed over', async t => {
  const rig = new Rig()
  const [a] = await rig.start('a') as [Replica]
  const { told } = a.keys
  const key = rig.twin.data.keys.find(key => key.endsWith(':key'))!
  rig.twin.data.set(key, 'ab - 1', Infinity)
  await rig.settle(READ_MS)
  t.strictSame(a.keys.told, told)
})
