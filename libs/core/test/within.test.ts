// Nobody waits for ever.
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { within } from '../src/within.js'

void t.test('what comes in time is what it is', async t => {
  const clock = createFakeClock(0)
  t.equal(await within(clock, 10, Promise.resolve('done'), 'late'), 'done')
  t.equal(clock.pending(), 0, 'no timer is left')
})

void t.test('what takes longer is late, and nobody hears what it comes to', async t => {
  const clock = createFakeClock(0)
  let finish: (value: string) => void = () => undefined
  const told = within(clock, 10, new Promise<string>(resolve => { finish = resolve }), 'late')
  clock.advance(10)
  finish('done')
  t.equal(await told, 'late')
  t.equal(clock.pending(), 0)
})
