import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { StopRequests, type TakenSignal } from '../src/stop-requests.js'

const fixture = fileURLToPath(new URL('./fixtures/waiting.js', import.meta.url))

async function start (t: Test, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

async function endOf (child: ChildProcess): Promise<readonly unknown[]> {
  return await once(child, 'exit')
}

void t.test('a fault in native code, or whatever else is not a request to stop, ends the process by its signal at once', async t => {
  await Promise.all((['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGQUIT'] as const).map(async signal => {
    const child = await start(t)
    const ended = endOf(child)
    child.kill(signal)
    t.strictSame(await ended, [null, signal])
  }))
})

void t.test('SIGTERM and SIGINT stop in order; without a terminal others are told to the log', async t => {
  await Promise.all((['SIGTERM', 'SIGINT'] as const).map(async signal => {
    const child = await start(t)
    for (const ignored of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
      const told = once(child.stdout!, 'data')
      child.kill(ignored)
      t.equal(String((await told)[0]), `Signal ignored: {"signal":"${ignored}"}\n`)
    }
    const ended = endOf(child)
    child.kill(signal)
    t.strictSame(await ended, [0, null], signal)
  }))
})

void t.test('another signal that asks to stop ends it at once', async t => {
  const child = await start(t, 'slow')
  const said = once(child.stderr!, 'data')
  const ended = endOf(child)
  child.kill('SIGTERM')
  child.kill('SIGINT')
  t.match(String((await said)[0]), /^proxy: SIG(TERM|INT) came again, ending now\.\n$/)
  t.strictSame(await ended, [1, null])
})

void t.test('what one request to stop is, whoever passes it on', async t => {
  const judged = (hasTerminal: boolean, ...signals: ReadonlyArray<readonly [TakenSignal, number]>): string[] => {
    const requests = new StopRequests(hasTerminal)
    return signals.map(([signal, atMs]) => requests.judge(signal, atMs))
  }
  t.same(judged(true, ['SIGINT', 0], ['SIGINT', 5], ['SIGINT', 999]), ['stop', 'same', 'same'], 'a terminal, and npm that passes it on')
  t.same(judged(true, ['SIGINT', 0], ['SIGINT', 5], ['SIGINT', 1500], ['SIGINT', 1501]), ['stop', 'same', 'again', 'same'], 'Ctrl-C, twice')
  t.same(judged(false, ['SIGTERM', 0], ['SIGINT', 5]), ['stop', 'again'])
  t.same(judged(false, ['SIGHUP', 0], ['SIGUSR1', 1], ['SIGTERM', 2], ['SIGHUP', 3]), ['ignored', 'ignored', 'stop', 'ignored'])
  t.same(judged(true, ['SIGHUP', 0], ['SIGHUP', 1], ['SIGHUP', 5000], ['SIGTERM', 5001]), ['stop', 'same', 'same', 'again'], 'a terminal that is gone')
  t.same(judged(true, ['SIGTERM', 0], ['SIGHUP', 1]), ['stop', 'same'])
})
