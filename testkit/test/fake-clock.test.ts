import t from 'tap'
import { createFakeClock, FAKE_EPOCH_MS } from '#testkit/fake-clock.js'

void t.test('stands still until it is moved, monotonic and wall time in step', async t => {
  const clock = createFakeClock(1000)
  t.equal(clock.now(), 1000)
  t.equal(clock.wallNow(), FAKE_EPOCH_MS + 1000)
  clock.advance(250)
  t.equal(clock.now(), 1250)
  t.equal(clock.wallNow(), FAKE_EPOCH_MS + 1250)
})

void t.test('runs due timers in order, each at its own moment', async t => {
  const clock = createFakeClock()
  const seen: string[] = []
  const note = (name: string) => () => { seen.push(`${name}@${String(clock.now())}`) }
  clock.after(30, note('late'))
  clock.after(10, note('early'))
  clock.after(10, note('early too'))
  clock.every(20, note('every'))
  clock.after(1000, note('never'))
  clock.advance(40)
  t.same(seen, ['early@10', 'early too@10', 'every@20', 'late@30', 'every@40'])
  t.equal(clock.now(), 40)
  t.equal(clock.pending(), 2)
})

void t.test('runs what a timer schedules on the way, and not what lies beyond', async t => {
  const clock = createFakeClock()
  const seen: number[] = []
  const again = (): void => {
    seen.push(clock.now())
    clock.after(7, again)
  }
  clock.after(7, again)
  clock.advance(20)
  t.same(seen, [7, 14])
  clock.advance(1)
  t.same(seen, [7, 14, 21])
})

void t.test('a cancelled timer never runs, even when cancelled by one due at the same moment', async t => {
  const clock = createFakeClock()
  const seen: string[] = []
  const cancels: Array<() => void> = []
  clock.after(5, () => { cancels.forEach(cancel => { cancel() }) })
  cancels.push(clock.after(5, () => { seen.push('after') }), clock.every(5, () => { seen.push('every') }))
  clock.advance(50)
  t.same(seen, [])
  t.equal(clock.pending(), 0)
  t.doesNotThrow(() => { cancels.forEach(cancel => { cancel() }) }, 'cancelling twice does no harm')
})

void t.test('refuses to go back', async t => {
  const clock = createFakeClock()
  t.throws(() => { clock.advance(-1) }, RangeError)
  t.throws(() => { clock.advance(NaN) }, RangeError)
  t.throws(() => { clock.advance(Infinity) }, RangeError)
})
