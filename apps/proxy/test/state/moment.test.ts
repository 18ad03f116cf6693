// Clocks and the word about the log's health, by themselves.
import t from 'tap'
import { elapsedSince, isMoment, type Moment } from '../../src/state/moment.js'
import { StateHealth } from '../../src/state/state-health.js'

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

function setUp (): { health: StateHealth, said: string[] } {
  const said: string[] = []
  return { health: new StateHealth(({ status }) => { said.push(status) }), said }
}

void t.test('a disk is late after two seconds, and on time again once it has taken what waited', t => {
  const { health, said } = setUp()
  health.begin(0, false)
  health.look(2000, 100, 0, false)
  t.strictSame(said, [])
  health.look(2001, 100, 0, false)
  health.look(9000, 100, 0, false)
  t.strictSame(said, ['late'])
  health.look(9100, 100, 100, false)
  t.strictSame(said, ['late', 'written'])
  t.end()
})

void t.test('a log that goes on from another one has no new time to be late in', t => {
  for (const [isContinued, wanted] of [[true, ['late']], [false, []]] as const) {
    const { health, said } = setUp()
    health.begin(0, false)
    health.look(1000, 100, 50, true)
    health.begin(2500, isContinued)
    health.look(3001, 10, 0, false)
    t.strictSame(said, wanted)
  }
  t.end()
})

void t.test('what has failed is not late, and is written again once a restart finds all there is', t => {
  const { health, said } = setUp()
  health.fail(new Error('full'))
  health.begin(0, false)
  health.look(9000, 100, 0, false)
  health.look(9100, 100, 100, false)
  t.strictSame(said, ['failed'])
  health.look(9200, 100, 100, true)
  t.strictSame(said, ['failed', 'written'])
  t.equal(health.faults, 1)
  t.end()
})
