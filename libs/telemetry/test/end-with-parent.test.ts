import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { END_WITH_PARENT } from '../src/end-with-parent.js'

const fixture = fileURLToPath(new URL('./fixtures/held.js', import.meta.url))

async function start (t: Test, ...args: readonly string[]) {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

void t.test('the end of what its parent holds ends a process at once, also one that does not want to', async t => {
  const child = await start(t, END_WITH_PARENT)
  const told = once(child.stdout, 'data')
  child.kill('SIGTERM')
  t.equal(String((await told)[0]), 'asked to stop\n')
  child.stdin.write('nobody asked for this')
  const ended = once(child, 'exit')
  child.stdin.destroy()
  t.strictSame(await ended, [null, 'SIGKILL'])
})

void t.test('without being told so, stdin is nothing to it', async t => {
  const child = await start(t)
  child.stdin.destroy()
  const told = once(child.stdout, 'data')
  child.kill('SIGTERM')
  t.equal(String((await told)[0]), 'asked to stop\n', 'it is still there')
  t.equal(child.exitCode, null)
})
