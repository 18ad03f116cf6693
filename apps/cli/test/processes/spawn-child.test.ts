import t from 'tap'
import { exitCodeFrom, runOne } from '../../src/commands/run-one.js'
import { directorSpecs } from '../../src/processes/director.js'
import { spawnChild } from '../../src/processes/spawn-child.js'
import type { OutputLine, ProcessEnd } from '../../src/runtime/child.js'

const inherited = process.env['PATH']

async function run (script: string, onPid?: (signal: (signal: NodeJS.Signals) => void, line: OutputLine) => void): Promise<{ end: ProcessEnd, lines: OutputLine[] }> {
  const lines: OutputLine[] = []
  const end = await new Promise<ProcessEnd>(resolve => {
    const child = spawnChild({ name: 'proxy', script, env: { PATH: inherited, GREETING: 'grüezi' } }, {
      line: async line => {
        lines.push(line)
        onPid?.(child.signal, line)
        // A slow reader: the end must wait for it.
        await new Promise<void>(resolve => { setImmediate(resolve) })
      },
      end: resolve
    })
  })
  return { end, lines }
}

void t.test('lines arrive whole and before the end', async t => {
  const dir = t.testdir({
    'talk.mjs': `process.stdout.write(process.env.GREETING + '\\n{"a":')
      setTimeout(() => { process.stdout.write('1}\\r\\nlast, unfinished'); process.stderr.write('oops\\n'); process.exitCode = 78 }, 50)`
  })
  const { end, lines } = await run(`${dir}/talk.mjs`)
  t.same(end, { code: 78, signal: null })
  t.same(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text), ['grüezi', '{"a":1}', 'last, unfinished'])
  t.same(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text), ['oops'])
})

void t.test('a signal reaches the child', async t => {
  const dir = t.testdir({ 'wait.mjs': 'console.log("up"); setInterval(() => {}, 1000)' })
  const { end } = await run(`${dir}/wait.mjs`, signal => { signal('SIGTERM') })
  t.same(end, { code: null, signal: 'SIGTERM' })
})

void t.test('a program that is not there ends with a reason', async t => {
  const { end, lines } = await run('/nowhere/at-all.mjs')
  t.equal(end.code, 1)
  t.match(lines.map(({ text }) => text).join('\n'), /Cannot find module/)
})

void t.test('the two processes, in the order in which they stop', async t => {
  const specs = directorSpecs({ configPath: '/c.yaml', logLevel: 'debug', socketPath: '/s.sock' })
  t.same(specs.map(({ name }) => name), ['control', 'proxy'])
  for (const { name, script, env } of specs) {
    t.match(script, new RegExp(`/apps/${name}/src/main\\.js$`))
    t.match(env, { CONFIG_PATH: '/c.yaml', LOG_LEVEL: 'debug', UDP_DIRECTOR_SOCKET: '/s.sock', PATH: inherited })
  }
})

void t.test('one process alone: its settings, signals and exit code', async t => {
  const signals: string[] = []
  let onSignal: (signal: 'SIGINT' | 'SIGHUP') => void = () => {}
  let atExit = (): void => {}
  const code = await runOne('control', { config: 'c.yaml' }, {
    hasTerminal: true,
    onSignal: handle => { onSignal = handle },
    atExit: run => { atExit = run },
    spawn: (spec, { line, end }) => {
      t.equal(spec.env['CONFIG_PATH'], 'c.yaml')
      t.equal(line, undefined, 'it writes to our own stdout')
      setImmediate(() => {
        onSignal('SIGINT')
        onSignal('SIGHUP')
        atExit()
        end({ code: 3, signal: null })
      })
      return { pid: 1, signal: signal => { signals.push(signal) } }
    }
  })
  t.equal(code, 3)
  t.same(signals, ['SIGINT', 'SIGTERM', 'SIGKILL'], 'the terminal is ours, and is gone')
  t.equal(exitCodeFrom({ code: null, signal: 'SIGTERM' }), 143)
  t.equal(exitCodeFrom({ code: null, signal: null }), 70)
})
