import { pino } from 'pino'
import t from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { restartDelay } from '../../src/processes/back-off.js'
import { stopGraceMs } from '../../src/processes/open-supervisor.js'
import { Stopping } from '../../src/processes/stopping.js'
import { Supervisor } from '../../src/processes/supervisor.js'
import type { ChildListeners, ProcessEnd, ProcessSpec } from '../../src/runtime/child.js'

const STOP_GRACE_MS = stopGraceMs(300)

interface FakeChild {
  readonly name: string
  readonly signals: string[]
  readonly listeners: ChildListeners
  readonly end: (end: Partial<ProcessEnd>) => void
}

const spec = (name: ProcessSpec['name']): ProcessSpec => ({ name, script: `/${name}.js`, env: {} })

function setUp (): { supervisor: Supervisor, clock: FakeClock, children: FakeChild[], lines: string[], logged: () => any[] } {
  const clock = createFakeClock()
  const children: FakeChild[] = []
  const lines: string[] = []
  const log: string[] = []
  const supervisor = new Supervisor([spec('control'), spec('proxy')], {
    clock,
    stopGraceMs: STOP_GRACE_MS,
    log: pino({}, { write: line => { log.push(line) } }),
    onLine: line => { lines.push(`${line.stream} ${line.text}`); return undefined },
    spawn: ({ name }, listeners) => {
      const signals: string[] = []
      children.push({ name, signals, listeners, end: end => { listeners.end({ code: null, signal: null, ...end }) } })
      return { pid: 1000 + children.length, signal: signal => { signals.push(signal) } }
    }
  })
  supervisor.start()
  return { supervisor, clock, children, lines, logged: () => log.map(line => JSON.parse(line)) }
}

const names = (children: readonly FakeChild[]): string[] => children.map(({ name }) => name)

void t.test('the first restart is at once, then the delay doubles up to its cap, and starts anew after a healthy run', async t => {
  const delays: number[] = []
  for (let previous: number | undefined; delays.length < 8; previous = delays.at(-1)) delays.push(restartDelay(1000, previous))
  t.same(delays, [0, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  t.equal(restartDelay(59_999, 10_000), 10_000)
  t.equal(restartDelay(60_000, 10_000), 0)
})

void t.test('both start at once; what they say arrives', async t => {
  const { children, lines, logged } = setUp()
  t.same(names(children), ['control', 'proxy'])
  void children[0]!.listeners.line?.({ stream: 'stderr', text: 'hello' })
  t.same(lines, ['stderr hello'])
  t.match(logged(), [{ msg: 'Process started', child: 'control', pid: 1001, starts: 1 }, { child: 'proxy', pid: 1002 }])
})

void t.test('one that dies is started again after the delay, the other is left alone', async t => {
  const { children, clock, logged } = setUp()
  children[1]!.end({ signal: 'SIGKILL' })
  t.match(logged().at(-1), { msg: 'Process died', child: 'proxy', signal: 'SIGKILL', retryInMs: 0 })
  t.equal(children.length, 2)
  clock.advance(0)
  t.same(names(children), ['control', 'proxy', 'proxy'])
  children[2]!.end({ code: 70 })
  clock.advance(499)
  t.equal(children.length, 3, 'the second delay is longer')
  clock.advance(1)
  t.equal(children.length, 4)
  clock.advance(60_000)
  children[3]!.end({ code: 0 })
  clock.advance(0)
  t.equal(children.length, 5, 'an end with exit code 0 is one nobody asked for; there is no delay after a healthy run')
  t.same(children[0]!.signals, [])
})

void t.test('bad configuration at the first start is told and not tried again', async t => {
  const { supervisor, children, clock } = setUp()
  children[1]!.end({ code: 78 })
  t.equal(await supervisor.refused, 'proxy')
  clock.advance(100_000)
  t.equal(children.length, 2)
})

void t.test('bad configuration at a later start is tried again', async t => {
  const { supervisor, children, clock } = setUp()
  let refused: string | undefined
  void supervisor.refused.then(name => { refused = name })
  children[0]!.end({ code: 70 })
  clock.advance(0)
  children[2]!.end({ code: 78 })
  clock.advance(500)
  t.same(names(children), ['control', 'proxy', 'control', 'control'])
  await Promise.resolve()
  t.equal(refused, undefined)
})

void t.test('stop ends control, then the proxy, and nothing is started again', async t => {
  const { supervisor, children, clock } = setUp()
  t.equal(supervisor.isStopping, false)
  const stopped = supervisor.stop()
  t.equal(supervisor.isStopping, true)
  t.same(children.map(({ signals }) => signals), [['SIGTERM'], []])
  children[0]!.end({ code: 0 })
  await tick()
  t.same(children.map(({ signals }) => signals), [['SIGTERM'], ['SIGTERM']])
  children[1]!.end({ code: 1 })
  await stopped
  await supervisor.stop()
  clock.advance(100_000)
  t.equal(children.length, 2)
  t.equal(clock.pending(), 0)
})

void t.test('one that does not stop in time is killed', async t => {
  const { supervisor, children, clock, logged } = setUp()
  const stopped = supervisor.stop()
  clock.advance(STOP_GRACE_MS - 1)
  t.same(children[0]!.signals, ['SIGTERM'])
  t.equal(supervisor.isKilled, false)
  clock.advance(1)
  t.same(children[0]!.signals, ['SIGTERM', 'SIGKILL'])
  t.match(logged().at(-1), { child: 'control', msg: 'Process does not stop, it is killed' })
  children[0]!.end({ signal: 'SIGKILL' })
  await tick()
  children[1]!.end({ code: 0 })
  await stopped
})

void t.test('stop while one waits for its restart', async t => {
  const { supervisor, children, clock } = setUp()
  children[0]!.end({ code: 1 })
  const stopped = supervisor.stop()
  await tick()
  children[1]!.end({ code: 0 })
  await stopped
  clock.advance(100_000)
  t.equal(children.length, 2)
})

void t.test('the time to stop covers a drain and the closing after it', t => {
  t.equal(stopGraceMs(300), 315_000)
  t.equal(stopGraceMs(0), 15_000)
  t.end()
})

void t.test('kill ends both at once', async t => {
  const { supervisor, children } = setUp()
  supervisor.kill()
  t.equal(supervisor.isKilled, true)
  t.same(children.map(({ signals }) => signals), [['SIGKILL'], ['SIGKILL']])
})

void t.test('one that is killed while the other is still stopping is not started again', async t => {
  const { supervisor, children, clock } = setUp()
  const stopped = supervisor.stop()
  supervisor.kill()
  children[1]!.end({ signal: 'SIGKILL' })
  children[0]!.end({ signal: 'SIGKILL' })
  await stopped
  clock.advance(100_000)
  t.equal(children.length, 2)
})

async function tick (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(resolve) })
}

void t.test('while it stops, one that ends as asked by somebody else is not started again, and one that dies is', async t => {
  for (const [end, starts] of [[{ code: 0 }, 2], [{ code: 1 }, 3]] as const) {
    const { supervisor, children, clock } = setUp()
    void supervisor.stop()
    children[1]!.end(end)
    clock.advance(0)
    t.equal(children.length, starts)
  }
})

void t.test('nothing is started after all were killed', async t => {
  const { supervisor, children } = setUp()
  supervisor.kill()
  supervisor.start()
  t.equal(children.length, 2)
})

void t.test('a second request to stop is heard, also when there is nothing to stop yet', async t => {
  const handlers: Array<(signal: 'SIGTERM' | 'SIGINT' | 'SIGUSR2') => void> = []
  const stopping = new Stopping({ onSignal: handle => { handlers.push(handle) }, clock: createFakeClock(), hasTerminal: false })
  const calls: string[] = []
  handlers[0]!('SIGTERM')
  t.equal(await stopping.asked, 'stop')
  handlers[0]!('SIGINT')
  stopping.follow(() => { calls.push('hurry') }, signal => { calls.push(signal) })
  t.same(calls, ['hurry'])
  handlers[0]!('SIGUSR2')
  t.same(calls, ['hurry', 'SIGUSR2'])
})
