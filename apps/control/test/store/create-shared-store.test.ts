import t from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { conforms } from './conformance.js'

void t.test('the twin is a store', async t => {
  const clock = createFakeClock()
  const twin = new StoreTwin({ clock, random: Math.random })
  twin.setWeather({ leastMs: 0.2, mostMs: 2 })
  await whileTimeGoesOn(clock, async () => { await conforms(t, (replica, events) => twin.open(replica, events, 10_000)) })
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
