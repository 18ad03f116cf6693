import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { drain, DRAIN_LOOK_MS, DRAIN_PROGRESS_MS, type DrainEnd, type DrainLeft, type DrainOptions } from '../src/drain.js'

type Seen = Awaited<ReturnType<DrainOptions['look']>>

function start (untilMs: number, first: Seen) {
  const clock = createFakeClock(5000)
  const progress: (DrainLeft | undefined)[] = []
  const state = { seen: first, looks: 0, end: undefined as DrainEnd | undefined }
  void drain({
    clock,
    untilMs: clock.now() + untilMs,
    look: async () => { state.looks++; return await Promise.resolve(state.seen) },
    onProgress: left => { progress.push(left) }
  }).then(end => { state.end = end })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += Math.min(DRAIN_LOOK_MS, ms - passed)) {
      await nextTurn()
      clock.advance(Math.min(DRAIN_LOOK_MS, ms - passed))
    }
    await nextTurn()
  }
  return { clock, state, progress, pass }
}

void t.test('it is over at the first look that finds nothing, sessions and tokens alike', async t => {
  const { state, pass, clock } = start(60_000, { sessions: 1, unredeemedTokens: 1 })
  await pass(3000)
  t.equal(state.looks, 4, 'at once, and then every second')
  state.seen = { sessions: 0, unredeemedTokens: 1 }
  await pass(1000)
  t.equal(state.end, undefined, 'a client may still come with its token')
  state.seen = { sessions: 2, unredeemedTokens: 0 }
  await pass(1000)
  t.equal(state.end, undefined, 'it has come')
  state.seen = { sessions: 0, unredeemedTokens: 0 }
  await pass(1000)
  t.strictSame(state.end, { outcome: 'empty', left: { sessions: 0, unredeemedTokens: 0 } })
  t.equal(clock.pending(), 0)
})

void t.test('nothing there: it is over at once', async t => {
  const { state } = start(60_000, { sessions: 0, unredeemedTokens: 0 })
  await nextTurn()
  t.strictSame(state.end?.outcome, 'empty')
})

void t.test('it ends when its time is over, to the millisecond, and says what was left', async t => {
  const { state, pass } = start(2500, { sessions: 3, unredeemedTokens: 0 })
  await pass(2499)
  t.equal(state.end, undefined)
  await pass(1)
  t.strictSame(state.end, { outcome: 'timeout', left: { sessions: 3, unredeemedTokens: 0 } })
})

void t.test('no time: it ends without a look', async t => {
  const { state } = start(0, { sessions: 3, unredeemedTokens: 0 })
  await nextTurn()
  t.strictSame(state.end, { outcome: 'timeout', left: undefined })
  t.equal(state.looks, 0)
})

void t.test('what cannot be seen may still be there', async t => {
  const { state, pass } = start(30_000, undefined)
  await pass(5000)
  t.equal(state.end, undefined)
  state.seen = { sessions: 4, unredeemedTokens: 0 }
  await pass(1000)
  state.seen = undefined
  await pass(24_000)
  t.strictSame(state.end, { outcome: 'timeout', left: { sessions: 4, unredeemedTokens: 0 } }, 'as last seen')
})

void t.test('with nobody to wait for it ends', async t => {
  const { state, pass } = start(30_000, { sessions: 4, unredeemedTokens: 0 })
  await pass(1000)
  state.seen = 'alone'
  await pass(1000)
  t.strictSame(state.end, { outcome: 'alone', left: { sessions: 4, unredeemedTokens: 0 } })
})

void t.test('progress is told every 10 s', async t => {
  const { progress, pass } = start(60_000, { sessions: 4, unredeemedTokens: 1 })
  await pass(DRAIN_PROGRESS_MS - 1)
  t.strictSame(progress, [])
  await pass(2 * DRAIN_PROGRESS_MS)
  t.strictSame(progress, [{ sessions: 4, unredeemedTokens: 1 }, { sessions: 4, unredeemedTokens: 1 }])
})
