// Which clock tells how long ago a moment of another life was.
import t from 'tap'
import { elapsedSince, isMoment, type Moment } from '../../../src/state/format/moment.js'

const then: Moment = { lifeMs: 1, bootMs: 50_000, wallMs: 1_000_000 }

const clocks: ReadonlyArray<readonly [what: string, moment: Moment, boot: { id: string, nowMs: number } | undefined, elapsedMs: number]> = [
  ['the machine\'s clock, if it is the same start', then, { id: 'a', nowMs: 53_000 }, 3000],
  ['the wall clock after another start, even if that one has been up for longer', then, { id: 'b', nowMs: 9_000_000 }, 7000],
  ['the wall clock where the machine has none', then, undefined, 7000],
  ['the wall clock if it was not known when the moment was noted', { ...then, bootMs: -1 }, { id: 'a', nowMs: 53_000 }, 7000],
  ['the wall clock if the machine\'s went back', then, { id: 'a', nowMs: 48_000 }, 7000],
  ['the machine\'s clock if two readings of it differ a little', then, { id: 'a', nowMs: 49_500 }, 0]
]

void t.test('how long ago a moment was is told by', t => {
  for (const [what, moment, boot, elapsedMs] of clocks) t.equal(elapsedSince(moment, 'a', { boot: () => boot, wallNow: () => 1_007_000 }), elapsedMs, what)
  t.equal(elapsedSince(then, 'a', { boot: () => undefined, wallNow: () => 0 }), 0, 'nothing is in the future')
  t.end()
})

void t.test('a moment has three times', t => {
  t.ok(isMoment(then))
  for (const name of ['lifeMs', 'bootMs', 'wallMs']) t.notOk(isMoment({ ...then, [name]: NaN }), name)
  t.end()
})
