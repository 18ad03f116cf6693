import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { TargetLoad } from '../../../src/proxies/target-load.js'
import { ALL_COUNTS_PERIOD_MS, COUNTS_PERIOD_MS, createCountsPart, SILENT_MS, type CountsPart } from '../../../src/replicas/counts/counts-part.js'
import type { CountsMessage } from '../../../src/replicas/counts/other-replicas.js'

interface Counting {
  readonly part: CountsPart
  readonly sessions: Map<string, number>
  readonly pending: Map<string, number>
  readonly sent: CountsMessage[]
}

/** Replicas that hear each other at once, but for what `isLost`. */
function counting (names: readonly string[], isLost: (from: string) => boolean = () => false) {
  const clock = createFakeClock()
  const replicas = new Map<string, Counting>()
  const open = (replica: string): void => {
    const [sessions, pending, sent] = [new Map<string, number>(), new Map<string, number>(), [] as CountsMessage[]]
    const part = createCountsPart({
      clock,
      replica,
      sessions: () => sessions,
      pending: () => pending,
      store: {
        status: 'up',
        send: (_to, message) => {
          if (message.type !== 'counts') return
          sent.push(message)
          if (!isLost(replica)) for (const [name, other] of replicas) if (name !== replica) other.part.onMessage?.(message)
        }
      }
    })
    replicas.set(replica, { part, sessions, pending, sent })
  }
  for (const name of names) open(name)
  return { clock, open, close: (name: string) => { replicas.get(name)!.part.close?.(); replicas.delete(name) }, of: (name: string) => replicas.get(name)! }
}

void t.test('what changed is told once a second, and all of it to one that is new', async t => {
  const { clock, open, of } = counting(['a', 'b'])
  of('a').sessions.set('x', 3).set('y', 1)
  of('a').pending.set('x', 2)
  clock.advance(2 * COUNTS_PERIOD_MS)
  t.strictSame([of('b').part.elsewhere.sessions('x'), of('b').part.elsewhere.pending('x'), of('b').part.elsewhere.sessions('y')], [3, 2, 1])
  of('a').sent.length = 0
  of('a').sessions.set('x', 4)
  of('a').pending.delete('x')
  clock.advance(COUNTS_PERIOD_MS)
  t.strictSame(of('a').sent, [{ type: 'counts', replica: 'a', sessions: { x: 4 }, pending: { x: 0 }, isAll: false }])
  t.strictSame([of('b').part.elsewhere.sessions('x'), of('b').part.elsewhere.pending('x')], [4, 0])
  open('c')
  clock.advance(2 * COUNTS_PERIOD_MS)
  t.strictSame([of('c').part.elsewhere.sessions('x'), of('c').part.elsewhere.sessions('y')], [4, 1])
  t.equal(of('c').part.others(), 2)
})

void t.test('a message that is lost is made good within half a minute', async t => {
  let isLost = false
  const { clock, of } = counting(['a', 'b'], from => from === 'a' && isLost)
  of('a').sessions.set('x', 3)
  clock.advance(2 * COUNTS_PERIOD_MS)
  isLost = true
  of('a').sessions.set('x', 9)
  clock.advance(COUNTS_PERIOD_MS)
  isLost = false
  clock.advance(COUNTS_PERIOD_MS)
  t.equal(of('b').part.elsewhere.sessions('x'), 3)
  clock.advance(ALL_COUNTS_PERIOD_MS)
  t.equal(of('b').part.elsewhere.sessions('x'), 9)
})

void t.test('one that is silent is forgotten, one that has nothing to tell is not', async t => {
  const { clock, close, of } = counting(['a', 'b'])
  of('a').sessions.set('x', 3)
  clock.advance(2 * SILENT_MS)
  t.equal(of('b').part.elsewhere.sessions('x'), 3)
  close('a')
  clock.advance(SILENT_MS + 2 * COUNTS_PERIOD_MS)
  t.equal(of('b').part.elsewhere.sessions('x'), 0)
  t.equal(of('b').part.others(), 0)
  t.equal(clock.pending(), 1)
})

void t.test('thousands of targets go in several messages', async t => {
  const { clock, of } = counting(['a', 'b'])
  for (let at = 0; at < 2500; at++) of('a').sessions.set(`t${at}`, at + 1)
  clock.advance(COUNTS_PERIOD_MS)
  t.strictSame(of('a').sent.map(({ isAll, sessions }) => [isAll, Object.keys(sessions).length]), [[true, 1000], [false, 1000], [false, 500]])
  t.equal(of('b').part.elsewhere.sessions('t2499'), 2500)
})

void t.test('a balancer compares all directors; what control does for its own sessions does not', async t => {
  const { clock, of } = counting(['a', 'b'])
  of('b').sessions.set('x', 3)
  of('b').pending.set('x', 2)
  clock.advance(2 * COUNTS_PERIOD_MS)
  const load = new TargetLoad([{ of: () => 4, total: 4 }], { pending: () => 1 }, of('a').part.elsewhere)
  t.strictSame([load.of('x'), load.allSessions('x'), load.allPending('x'), load.sessions('x'), load.total], [10, 7, 3, 4, 4])
})
