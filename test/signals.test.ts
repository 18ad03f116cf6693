// The table of docs/operations.md, "Signals", against the real processes: each row, each column, each word of it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { configText } from '#testkit/director/config-text.js'
import type { Director } from '#testkit/director/director.js'
import { callHttp, tokenOf } from '#testkit/director/http.js'
import { eventually, until } from '#testkit/patience.js'
import { Pair } from '#testkit/director/pair.js'
import { Serve } from '#testkit/director/serve.js'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { claimPort } from '#testkit/ports.js'
import { isAlive, startChild } from '#testkit/processes/child.js'
import { programs, type NodeProgram } from '#testkit/processes/node-program.js'

type Child = 'control' | 'proxy'

interface Row {
  readonly signals: readonly NodeJS.Signals[]
  readonly serve: string
  readonly alone: string
  readonly underServe: string
}

const CHILDREN: readonly Child[] = ['control', 'proxy']
const STOPS: Readonly<Record<Child, string>> = { control: 'Control draining, no more tokens', proxy: 'Proxy stopping' }
const QUERY = { resourceType: 'gameserver', namespace: 'games' }
const INVENTORY = { 'a.yaml': gameServerYaml('a', { game: 7000, voice: 7001 }) }

// A token that nobody redeems holds a drain for as long as it lives, or until it is revoked.
const DRAINS = { tokenTtlSeconds: 600, drainTimeoutSeconds: 600 }

const lines = readFileSync('docs/operations.md', 'utf8').split('## Signals\n')[1]!.split('\n## ')[0]!
  .split('\n').filter(line => line.startsWith('| SIG'))
const WITH_TERMINAL = ' with a terminal |'
// No process has a terminal here, but for the last test.
const rows = lines.filter(line => !line.includes(WITH_TERMINAL)).map(line => line.replace(' without a terminal |', ' |'))
  .map((line): Row => {
    const [signals = '', serve = '', alone = '', underServe = ''] = line.split('|').slice(1).map(cell => cell.trim())
    return { signals: signals.split(', then ') as NodeJS.Signals[], serve, alone, underServe }
  })

/** Makes a token that nobody redeems, once it answers queries; returns what revokes it. */
async function holdDrain (director: Director): Promise<() => Promise<unknown>> {
  let token = ''
  await director.until(async () => {
    token = await director.query()
    return true
  })
  return async () => await director.admin('DELETE', `/tokens/${token}`)
}

/** Sends the signals to `pid` and sees what the words promise of a process that nobody starts again. */
async function seeEnd (t: Test, words: string, signals: readonly NodeJS.Signals[], { process: spawned, pid, stops, release }: {
  readonly process: NodeProgram, readonly pid: number, readonly stops: string, readonly release: () => Promise<unknown>
}): Promise<void> {
  const [first, second] = signals
  process.kill(pid, first)
  if (words === 'ends at once, by the signal') {
    t.equal(await spawned.ended, first)
    return
  }
  await spawned.line(stops)
  if (words === 'drains, exit code 0') await release()
  else if (words === 'ends at once, exit code 1') process.kill(pid, second)
  else t.fail(`the table says "${words}", which this test does not know`)
  t.equal(await spawned.ended, words === 'drains, exit code 0' ? 0 : 1)
}

void t.test('the table says something of every signal that is taken', async t => {
  t.same(rows.map(({ signals }) => signals.join()), ['SIGTERM', 'SIGINT', 'SIGTERM,SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGKILL'])
})

void t.test('serve', async t => {
  const ends = rows.filter(({ serve }) => serve !== 'a line in the log')
  const lines = rows.filter(({ serve }) => serve === 'a line in the log')
  for (const { signals, serve: words } of ends) {
    await t.test(`${signals.join()}: ${words}`, async t => {
      const serve = await forTest(t, Serve.start({ settings: DRAINS, inventory: INVENTORY }))
      const { process: supervisor } = serve
      const release = await holdDrain(serve)
      // Those that end nothing come first: everything goes on.
      for (const [ignored] of lines.map(({ signals }) => signals)) {
        process.kill(supervisor.pid, ignored)
        await until(() => serve.lines('Signal ignored', { process: 'cli', signal: ignored }).length === 1)
      }
      const pids = serve.lines('Process started').map(({ pid }) => pid as number)
      t.equal(pids.length, 2)
      await seeEnd(t, words, signals, { process: supervisor, pid: supervisor.pid, stops: STOPS.control, release })
      await until(() => !pids.some(isAlive))
    })
  }
})

void t.test('a process alone', async t => {
  for (const { signals, alone: words } of rows) {
    await t.test(`${signals.join()}: ${words}`, async t => {
      const pair = await forTest(t, Pair.open({ config: DRAINS, inventory: INVENTORY }))
      for (const child of ['proxy', 'control'] as const) {
        if (words === 'a line in the log') {
          process.kill(pair[child].pid, signals[0])
          t.match(await pair[child].line('Signal ignored'), { signal: signals[0] }, child)
          continue
        }
        const release = await holdDrain(pair)
        await seeEnd(t, words, signals, { process: pair[child], pid: pair[child].pid, stops: STOPS[child], release })
        if (child === 'proxy') await pair.restartProxy()
      }
    })
  }
})

void t.test('a process under serve', async t => {
  const serve = await forTest(t, Serve.open({ settings: DRAINS, inventory: INVENTORY }))
  for (const { signals, underServe: words } of rows) {
    for (const child of CHILDREN) {
      const [pid, starts] = [serve.pid(child), serve.starts(child)]
      process.kill(pid, signals[0])
      if (words === 'a line in the log') {
        await until(() => serve.lines('Signal ignored', { process: child, signal: signals[0] }).length === 1)
        continue
      }
      // It may have ended before the second one.
      if (signals[1] !== undefined && isAlive(pid)) process.kill(pid, signals[1])
      await until(() => serve.starts(child) === starts + 1, { what: () => `${signals.join()} to ${child}` })
      const died = serve.last('Process died', { child })
      if (words === 'drains, is started again') t.match(died, { exitCode: 0 }, `${signals.join()} to ${child}`)
      else if (words === 'ends at once, is started again') t.ok(died['exitCode'] === 1 || died['exitCode'] === 0 || died['signal'] === signals[0], `${signals.join()} to ${child}`)
      else t.fail(`the table says "${words}", which this test does not know`)
      // Of the new one: the proxy is there before control has found it.
      const listens = child === 'proxy' ? 'Proxy listening' : 'Control listening'
      await until(() => serve.lines(listens).length > starts)
      await serve.ready()
    }
  }
  serve.process.kill('SIGTERM')
  t.equal(await serve.process.ended, 0)
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

void t.test('a terminal that is closed is SIGTERM, and the drain goes on without output', { skip: hasScript ? false : 'script(1) is needed for a terminal' }, async t => {
  const folder = await forTest(t, openFolder())
  folder.write('inventory/a.yaml', INVENTORY['a.yaml'])
  // What is on a terminal is for people: no ports can be read there.
  const [query, admin] = [await claimPort(), await claimPort()]
  const config = folder.write('config.yaml', configText({ settings: { ...DRAINS, queryPort: query.port, adminPort: admin.port } }))
  const env = { PATH: process.env['PATH'], CONFIG_PATH: config, UDP_DIRECTOR_SOCKET: `${folder.path}/p.sock`, LOG_LEVEL: 'info', TMPDIR: folder.path }
  const terminal = startChild('script', 'script', ['-qec', `echo $$; exec ${process.execPath} ${programs.cli} serve`, '/dev/null'], { env })
  const call = async ({ port }: { readonly port: number }, ...args: [method: string, path: string, body?: unknown]) => await callHttp(`http://127.0.0.1:${port}`, ...args)
  const token = await eventually(async () => tokenOf(await call(query, 'POST', '/query', QUERY)), { mayFail: true, what: terminal.output })
  const pid = Number.parseInt(terminal.output(), 10)
  t.teardown(() => { if (isAlive(pid)) process.kill(pid, 'SIGKILL') })
  t.ok(isAlive(pid))
  t.strictSame(lines.filter(line => line.includes(WITH_TERMINAL)), ['| SIGHUP with a terminal | drains, exit code 0 | drains, exit code 0 | a line in the log |'])
  terminal.kill('SIGKILL')
  await until(async () => ((await call(admin, 'GET', '/readyz')).body as { status: string }).status === 'draining')
  t.ok(isAlive(pid))
  await call(admin, 'DELETE', `/tokens/${token}`)
  await until(() => !isAlive(pid))
})
