import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { Lanes } from '../../../src/replicas/sessions/lanes.js'

interface Running {
  readonly client: string
  readonly work: string
  readonly tries: number
  readonly end: (isDone: boolean) => void
}

function lanes (bounds: { readonly maxClients?: number, readonly atOnce?: number, readonly maxTries?: number } = {}) {
  const clock = createFakeClock()
  const running: Running[] = []
  const idle: string[] = []
  const left: string[] = []
  const of = new Lanes<string>({
    clock,
    maxClients: 100,
    atOnce: 10,
    retryMs: 1000,
    maxTries: 3,
    ...bounds,
    run: async (client, work, tries) => await new Promise(resolve => { running.push({ client, work, tries, end: resolve }) }),
    onIdle: client => { idle.push(client) },
    onLeft: (client, work) => { left.push(`${client} ${work}`) }
  })
  const end = async (isDone: boolean): Promise<Running> => {
    const ended = running.shift()!
    ended.end(isDone)
    await nextTurn()
    return ended
  }
  return { clock, of, running, idle, left, end, shown: () => running.map(({ client, work, tries }) => `${client} ${work} ${tries}`) }
}

void t.test('clients at the same time, each in order, and only the newest of what waits', async t => {
  const { of, idle, end, shown } = lanes()
  of.submit('a', 'before it is open')
  t.strictSame(shown(), [])
  of.open()
  of.submit('b', '1')
  for (const work of ['2', '3']) of.submit('a', work)
  t.strictSame(shown(), ['a before it is open 0', 'b 1 0'])
  t.ok(of.isBusy('a'))
  await end(true)
  t.strictSame(shown(), ['b 1 0', 'a 3 0'])
  t.strictSame(idle, [])
  await end(true)
  await end(true)
  t.strictSame(idle, ['b', 'a'])
  t.notOk(of.isBusy('a'))
})

void t.test('what failed is tried again after a while, unless something newer came', async t => {
  const { clock, of, idle, left, end, shown } = lanes()
  of.open()
  of.submit('a', '1')
  of.submit('b', '1')
  await end(false)
  await end(false)
  t.ok(of.isBusy('a'))
  of.submit('a', '2')
  t.strictSame(shown(), ['a 2 0'])
  await end(true)
  clock.advance(1000)
  t.strictSame(shown(), ['b 1 1'])
  await end(false)
  clock.advance(1000)
  t.strictSame(shown(), ['b 1 2'])
  await end(false)
  t.strictSame(left, ['b 1'], 'three times are enough')
  t.strictSame(idle, ['a', 'b'])
  t.equal(clock.pending(), 0)
})

void t.test('nothing begins while it is shut, and what failed is tried at once when it opens', async t => {
  const { clock, of, end, shown } = lanes()
  of.open()
  of.submit('a', '1')
  of.shut()
  await end(false)
  of.submit('b', '1')
  clock.advance(10_000)
  t.strictSame(shown(), [])
  of.open()
  t.strictSame(shown(), ['b 1 0', 'a 1 1'])
  of.close()
  t.equal(clock.pending(), 0)
})

void t.test('bounds: so many at once, and so many in all', async t => {
  const { of, left, end, shown } = lanes({ atOnce: 2, maxClients: 3 })
  of.open()
  for (const client of ['a', 'b', 'c', 'd']) of.submit(client, '1')
  t.strictSame(shown(), ['a 1 0', 'b 1 0'])
  t.strictSame(left, ['d 1'])
  of.submit('c', '2')
  await end(true)
  t.strictSame(shown(), ['b 1 0', 'c 2 0'])
  t.equal(of.size, 2)
})
