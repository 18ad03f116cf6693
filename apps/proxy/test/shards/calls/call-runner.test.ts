import t from 'tap'
import type { Slices } from '#core/slices.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { CallRunner, SLICE_PAUSE_MS, type ShardCallTable } from '../../../src/shards/calls/call-runner.js'

function setUp () {
  const clock = createFakeClock()
  const done: string[] = []
  const slices = function * (name: string, count: number): Slices<number> {
    for (let slice = 1; slice < count; slice++) {
      done.push(`${name}${slice}`)
      yield
    }
    done.push(`${name}${count}`)
    return count
  }
  let sweeps = 0
  const table: Partial<ShardCallTable> = {
    sweep: () => slices(['a', 'b'][sweeps++] ?? 'x', 3),
    left: function * () {
      yield * slices('left', 2)
      return { sessions: 0, unredeemedTokens: 0 }
    },
    setDraining: () => { done.push('at once') }
  }
  const runner = new CallRunner(table as ShardCallTable, clock)
  const step = (): void => {
    clock.advance(SLICE_PAUSE_MS)
    runner.step()
  }
  return { runner, clock, done, step }
}

void t.test('what is done at once is done at once, whatever else is under way', t => {
  const { runner, done } = setUp()
  runner.run('sweep', [], () => { done.push('swept') })
  t.same(done, ['a1'])
  runner.run('setDraining', [true], () => { done.push('told') })
  t.same(done, ['a1', 'at once', 'told'])
  t.notOk(runner.isIdle)
  t.end()
})

void t.test('calls of one name keep their order, and each name has its turn', t => {
  const { runner, done, step } = setUp()
  runner.run('sweep', [], ended => { done.push(`a: ${ended}`) })
  runner.run('sweep', [], ended => { done.push(`b: ${ended}`) })
  runner.run('left', [], () => { done.push('left') })
  for (let steps = 0; steps < 10 && !runner.isIdle; steps++) step()
  t.ok(runner.isIdle)
  t.same(done, ['a1', 'left1', 'a2', 'left2', 'left', 'a3', 'a: 3', 'b1', 'b2', 'b3', 'b: 3'])
  t.end()
})

void t.test('there is a pause between two slices', t => {
  const { runner, done, step } = setUp()
  runner.run('sweep', [], () => {})
  runner.step()
  t.same(done, ['a1'], 'too soon')
  step()
  t.same(done, ['a1', 'a2'])
  t.end()
})
