// What is said about the health of a log, and when.
import t from 'tap'
import { StateHealth } from '../../src/state/state-health.js'

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
