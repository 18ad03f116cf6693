// The closing line of `npm test` is only worth what the counting is worth; and how a test is debugged.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { WebSocket } from 'undici'
import { until } from '#testkit/patience.js'

interface Outcome { passed: number, failed: number, files: number, skips: Array<{ path: string[], directive: string, why: string }> }
interface FileReport { name: string, ok: boolean, ms: number, passed: number, failures: Array<{ path: string[], details: string[] }> }
interface Reader { readLine: (line: string) => void, end: () => Outcome }

// Plain .mjs, because it runs before anything is compiled; so there are no types to import.
const { createTapReader } = await import(pathToFileURL('scripts/tap-reader.mjs').href) as {
  createTapReader: (options: { onFile: (report: FileReport) => void }) => Reader
}

function read (tap: string): Outcome & { reports: FileReport[] } {
  const reports: FileReport[] = []
  const reader = createTapReader({ onFile: report => { reports.push(report) } })
  for (const line of tap.split('\n')) reader.readLine(line)
  return { ...reader.end(), reports }
}

void t.test('counts assertions, not the lines of subtests', async t => {
  const { passed, failed, files, reports } = read(`TAP version 14
1..1
# Subtest: a.test.ts
    # Subtest: outer
        ok 1 - one
        # Subtest: inner
            ok 1 - two
            ok 2 - a \\# b { c
            1..2
        ok 2 - inner # time=1ms
        1..2
    ok 1 - outer # time=2ms
    ok 2 - three, outside
    1..2
    # time=3.5ms
ok 1 - a.test.ts # time=1234.5ms
# { total: 4, pass: 4 }`)
  t.strictSame({ passed, failed, files }, { passed: 4, failed: 0, files: 1 })
  t.match(reports, [{ name: 'a.test.ts', ok: true, ms: 1234.5, passed: 4, failures: [] }])
})

void t.test('a failed assertion counts once, with its details, whatever they contain', async t => {
  const { passed, failed, reports } = read(`# Subtest: a.test.ts
    # Subtest: fails
        not ok 1 - one is two
          ---
          diff: |
            -2
            +1
          source: |
            not ok 7 - only a quotation
          ...
        ok 2 - fine
        1..2
    not ok 1 - fails # time=5ms
      ---
      at: somewhere
      ...
    1..1
not ok 1 - a.test.ts # time=9ms
  ---
  exitCode: 1
  ...`)
  t.strictSame({ passed, failed }, { passed: 1, failed: 1 })
  t.strictSame(reports[0]!.failures, [{
    path: ['a.test.ts', 'fails', 'one is two'],
    details: ['diff: |', '  -2', '  +1', 'source: |', '  not ok 7 - only a quotation']
  }])
  t.equal(reports[0]!.ok, false)
})

void t.test('a crash, a timeout and a file without tests are failures', async t => {
  const crash = read(`# Subtest: a.test.ts
    ok 1 - before the crash
    1..1
not ok 1 - a.test.ts # time=9ms
  ---
  exitCode: null
  signal: SIGSEGV
  ...`)
  t.match(crash, { passed: 1, failed: 1, reports: [{ ok: false, failures: [{ path: ['a.test.ts'], details: ['exitCode: null', 'signal: SIGSEGV'] }] }] })
  t.match(read('# Subtest: a.test.ts\n    1..0 # no tests found\nnot ok 1 - a.test.ts'), { passed: 0, failed: 1 })
  t.match(read('# Subtest: a.test.ts\n    1..0 # no tests found\nok 1 - a.test.ts # SKIP no tests found'), { passed: 0, failed: 1 })
  t.match(read('not ok 1 - timeout!\n  ---\n  expired: a.test.ts\n  ...'), { passed: 0, failed: 1 })
  t.match(read('# Subtest: a.test.ts\n    ok 1 - fine\nBail out! no more'), { failed: 1 })
})

void t.test('a plan that came up short, a child left in the queue', async t => {
  t.match(read(`# Subtest: c.test.ts
    # Subtest: short plan
        1..2
        ok 1 - should be equal
        not ok 2 - test unfinished
    not ok 1 - short plan # time=38ms
    not ok 2 - child test left in queue: exits
    1..2
not ok 3 - c.test.ts # time=60ms`), { passed: 1, failed: 2 })
})

void t.test('an output that breaks off is a failed file', async t => {
  const { reports, passed, failed } = read('# Subtest: a.test.ts\n    ok 1 - fine')
  t.match(reports, [{ name: 'a.test.ts', ok: false, failures: [{ path: ['a.test.ts', 'the output breaks off'] }] }])
  t.strictSame({ passed, failed }, { passed: 1, failed: 1 })
})

void t.test('skips and todos are named and counted as neither', async t => {
  const { passed, failed, skips } = read(`# Subtest: a.test.ts
    ok 1 - needs a network # SKIP no network
    ok 2 - later # TODO
    # Subtest: partly
        not ok 1 - x # SKIP why
        ok 2 - y
        1..2
    ok 3 - partly # time=5ms
    1..3
ok 1 - a.test.ts # time=5ms`)
  t.strictSame({ passed, failed }, { passed: 1, failed: 0 })
  t.strictSame(skips, [
    { path: ['a.test.ts', 'needs a network'], directive: 'SKIP', why: 'no network' },
    { path: ['a.test.ts', 'later'], directive: 'TODO', why: '' },
    { path: ['a.test.ts', 'partly', 'x'], directive: 'SKIP', why: 'why' }
  ])
})

/** `npm test` with these arguments, without the module loader that a measuring test runner hands to its children. */
function start (...args: string[]) {
  const child = spawn('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, 'scripts/test.mjs', ...args])
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', text => { output.stdout += String(text) })
  child.stderr.on('data', text => { output.stderr += String(text) })
  const debuggerAt = async (): Promise<string> => {
    await until(() => /^Debugger listening on ws:\S+$/m.test(output.stderr))
    return /ws:\S+/.exec(output.stderr)![0]
  }
  return { child, output, debuggerAt, ended: once(child, 'close') }
}

void t.test('a test waits for a debugger, and goes on when it says so', async t => {
  const { output, debuggerAt, ended } = start('--inspect-brk=0', 'libs/wire/test/wire.test.ts')
  const socket = new WebSocket(await debuggerAt())
  await new Promise(resolve => { socket.addEventListener('open', resolve, { once: true }) })
  t.equal(output.stdout, '', 'nothing has run')
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.runIfWaitingForDebugger' }))
  await until(() => output.stdout.includes('\n1..'))
  socket.close()
  t.strictSame(await ended, [0, null])
  t.match(output.stdout, /^ok \d+ - /m)
})

void t.test('a test that waits for a debugger ends with the command', async t => {
  const { child, debuggerAt, ended } = start('--inspect-brk=0', 'libs/wire/test/wire.test.ts')
  const url = new URL((await debuggerAt()).replace(/^ws/, 'http'))
  child.kill('SIGTERM')
  t.strictSame(await ended, [1, null])
  await t.rejects(fetch(url.origin), 'nobody listens any more')
})

void t.test('one debugger, one test file', async t => {
  const { output, ended } = start('--inspect-brk', 'libs/wire/test', 'libs/core/test')
  t.strictSame(await ended, [1, null])
  t.match(output.stderr, /^A debugger can follow one test file, and these are \d+\.$/m)
})
