import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const fixture = fileURLToPath(new URL('./fixtures/waiting.js', import.meta.url))

async function start (t: Test): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fixture], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

async function endOf (child: ChildProcess): Promise<readonly unknown[]> {
  return await once(child, 'exit')
}

void t.test('a fault in native code, or whatever else is not a request to stop, ends the process by its signal at once', async t => {
  await Promise.all((['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGQUIT', 'SIGUSR2'] as const).map(async signal => {
    const child = await start(t)
    const ended = endOf(child)
    child.kill(signal)
    t.strictSame(await ended, [null, signal])
  }))
})

void t.test('SIGTERM and SIGINT stop in order; SIGHUP does nothing', async t => {
  await Promise.all((['SIGTERM', 'SIGINT'] as const).map(async signal => {
    const child = await start(t)
    const told = once(child.stdout!, 'data')
    child.kill('SIGHUP')
    t.equal(String((await told)[0]), 'hung up\n')
    const ended = endOf(child)
    child.kill(signal)
    t.strictSame(await ended, [0, null], signal)
  }))
})
