// How long a worker waits in the kernel, and what it does when it wakes.
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { ShardLoop } from '../../../src/shards/hosts/shard-loop.js'

function setUp () {
  const clock = createFakeClock(1000)
  const waits: number[] = []
  const done: string[] = []
  const body = {
    isIdle: true,
    nextDueAt: Infinity,
    run: () => { done.push('run') },
    step: () => { done.push('step') },
    expire: () => { done.push('expire') },
    tellTrace: () => undefined
  }
  const messages: Array<{ id: number, name: 'sweep', args: [] }> = []
  let isWoken = false
  const loop = new ShardLoop({
    body,
    clock,
    turn: timeoutMs => {
      waits.push(timeoutMs)
      const was = isWoken
      isWoken = false
      return was
    },
    read: () => messages.shift(),
    answer: () => undefined
  })
  const turn = (): { waited: number, did: string[] } => {
    loop.turn()
    return { waited: waits.at(-1)!, did: done.splice(0) }
  }
  const say = (): void => {
    isWoken = true
    messages.push({ id: 1, name: 'sweep', args: [] })
  }
  return { clock, body, turn, say }
}

void t.test('it waits until somebody ends the wait, or until the first of those who wait has waited for long enough', async t => {
  const { clock, body, turn, say } = setUp()
  t.same(turn(), { waited: -1, did: [] }, 'nobody waits: it does nothing, and wakes for nothing')
  body.nextDueAt = 1249.3
  t.same(turn(), { waited: 250, did: ['expire'] }, 'not a moment before: it would find nothing to do')
  clock.advance(300)
  t.same(turn(), { waited: 0, did: ['expire'] }, 'that is over')
  body.nextDueAt = 1400
  body.isIdle = false
  t.same(turn(), { waited: 1, did: ['step', 'expire'] }, 'slices of a call go on meanwhile')
  body.isIdle = true
  say()
  t.same(turn().did, ['run', 'expire'], 'what is answered before is not over')
})
