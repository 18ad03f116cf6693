import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { Draining, WORD_HOLD_MS } from '../../src/rpc/draining.js'

const TIMEOUT_MS = 300_000

function setUp (t: Test, timeoutMs = TIMEOUT_MS) {
  const clock = createFakeClock()
  const applied: boolean[] = []
  const said: string[] = []
  const left = { sessions: 1, unredeemedTokens: 0 }
  const draining = new Draining({
    clock,
    timeoutMs,
    apply: async isDraining => { applied.push(isDraining); await Promise.resolve() },
    look: async () => await Promise.resolve({ ...left }),
    log: { info: (_fields, message) => { said.push(message) } }
  })
  t.teardown(() => { draining.close() })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      await nextTurn()
      clock.advance(Math.min(1000, ms - passed))
    }
    await nextTurn()
  }
  const stop = (): { isOver: boolean } => {
    const state = { isOver: false }
    void draining.stop().then(() => { state.isOver = true })
    return state
  }
  return { clock, draining, applied, said, left, pass, stop }
}

void t.test('control\'s word makes it drain and takes it back', async t => {
  const { draining, applied, clock } = setUp(t)
  await draining.told(undefined)
  t.strictSame(applied, [], 'nothing changed')
  await draining.told(1000)
  await draining.told(900)
  t.match(draining, { isDraining: true, isStopping: false })
  await draining.told(undefined)
  t.equal(draining.isDraining, false)
  t.strictSame(applied, [true, false])
  t.equal(clock.pending(), 0)
})

void t.test('a word that nobody renews or takes back ends some time after its own end', async t => {
  const { draining, applied, clock } = setUp(t)
  await draining.told(10_000)
  clock.advance(5000)
  await draining.told(5000)
  clock.advance(5000 + WORD_HOLD_MS - 1)
  t.equal(draining.isDraining, true)
  clock.advance(1)
  t.equal(draining.isDraining, false)
  t.strictSame(applied, [true, false])
})

void t.test('its own signal: until nothing is left, or for its own time', async t => {
  const { draining, applied, left, pass, stop, said } = setUp(t)
  const first = stop()
  t.match(draining, { isDraining: true, isStopping: true })
  await pass(20_000)
  t.equal(first.isOver, false)
  left.sessions = 0
  await pass(1000)
  t.equal(first.isOver, true)
  t.strictSame(applied, [true])
  t.strictSame(said, ['Default endpoint takes no new sessions', 'Proxy draining', 'Proxy draining', 'Proxy drained'])
  left.sessions = 1
  const other = setUp(t)
  const second = other.stop()
  await other.pass(TIMEOUT_MS - 1000)
  t.equal(second.isOver, false)
  await other.pass(1000)
  t.equal(second.isOver, true)
})

void t.test('what control has drained already counts, and control cannot make it longer', async t => {
  const { draining, pass, stop } = setUp(t)
  await draining.told(TIMEOUT_MS)
  await pass(TIMEOUT_MS - 5000)
  const stopping = stop()
  await draining.told(TIMEOUT_MS)
  await draining.told(undefined)
  t.equal(draining.isDraining, true, 'the signal stays')
  await pass(4000)
  t.equal(stopping.isOver, false)
  await pass(1000)
  t.equal(stopping.isOver, true)
})

void t.test('after the whole of control\'s time it ends at once', async t => {
  const { draining, pass, stop } = setUp(t)
  await draining.told(10_000)
  await pass(11_000)
  const stopping = stop()
  await nextTurn()
  t.equal(stopping.isOver, true)
})

void t.test('a time of 0 means no drain at all', async t => {
  const { draining, applied, said } = setUp(t, 0)
  await draining.stop()
  t.strictSame([applied, said], [[], []])
})
