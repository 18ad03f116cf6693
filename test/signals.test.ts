// The table of docs/operations.md, "Signals", against the real processes: each row, each column, each word of it.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { until } from '#testkit/patience.js'
import { gameServerYaml, Pair } from '#testkit/pair.js'
import { spawnNode, type LogLine, type Spawned } from '#testkit/spawned.js'

type Child = 'control' | 'proxy'

interface Row {
  readonly signals: readonly NodeJS.Signals[]
  readonly serve: string
  readonly alone: string
  readonly underServe: string
}

const CLI = 'dist/apps/cli/src/main.js'
const CHILDREN: readonly Child[] = ['control', 'proxy']
const STOPS: Readonly<Record<Child, string>> = { control: 'Control draining, no more tokens', proxy: 'Proxy stopping' }
const QUERY = { resourceType: 'gameserver', namespace: 'games' }

// A token that nobody redeems holds a drain for as long as it lives, or until it is revoked.
const DRAINS = 'tokenTtlSeconds: 600\ndrainTimeoutSeconds: 600'

const rows = readFileSync('docs/operations.md', 'utf8').split('## Signals\n')[1]!.split('\n## ')[0]!
  .split('\n').filter(line => line.startsWith('| SIG'))
  .map((line): Row => {
    const [signals = '', serve = '', alone = '', underServe = ''] = line.split('|').slice(1).map(cell => cell.trim())
    return { signals: signals.split(', then ') as NodeJS.Signals[], serve, alone, underServe }
  })

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

interface Serve {
  readonly env: Readonly<Record<string, string>>
  readonly admin: (method: string, path: string) => Promise<Response>
  /** Makes one that nobody redeems; returns what revokes it. */
  readonly holdDrain: () => Promise<() => Promise<unknown>>
}

function writeServe (t: Test, ports: { query: number, admin: number }): Serve {
  const folder = mkdtempSync(join(tmpdir(), 'sig-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  mkdirSync(join(folder, 'inventory'))
  writeFileSync(join(folder, 'inventory', 'a.yaml'), gameServerYaml('a', { game: 7000 }, { address: '192.0.2.1' }))
  writeFileSync(join(folder, 'config.yaml'), `
bindAddress: 127.0.0.1
queryPort: ${ports.query}
adminPort: ${ports.admin}
dataPorts: [{name: game, port: 0}]
inventory: {provider: file, path: inventory}
namespaces: [games]
limits: {pushDeadlineMs: 60000}
${DRAINS}
resourceQueryMapping:
  gameserver: {group: agones.dev, resource: gameservers, addressPath: status.address, portName: game}
`)
  const env = { PATH: process.env['PATH'] ?? '', CONFIG_PATH: join(folder, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(folder, 'p.sock'), LOG_LEVEL: 'info', TMPDIR: folder }
  const call = async (port: number, method: string, path: string, body?: unknown): Promise<Response> =>
    await fetch(`http://127.0.0.1:${port}${path}`, { method, ...body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } })
  const holdDrain = async (): Promise<() => Promise<unknown>> => {
    let token = ''
    await until(async () => {
      const answer = await call(ports.query, 'POST', '/query', QUERY)
      if (answer.ok) ({ token } = await answer.json() as { token: string })
      return answer.ok
    }, { mayFail: true })
    return async () => await call(ports.admin, 'DELETE', `/tokens/${token}`)
  }
  return { env, admin: async (method, path) => await call(ports.admin, method, path), holdDrain }
}

// Ports that nobody had a moment ago: they have to be known beforehand, since a process that is started again has new ones.
async function freePorts (): Promise<{ query: number, admin: number }> {
  const { createServer } = await import('node:net')
  const servers = [createServer(), createServer()]
  const ports = await Promise.all(servers.map(async server => await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => { resolve((server.address() as { port: number }).port) })
  })))
  for (const server of servers) server.close()
  return { query: ports[0]!, admin: ports[1]! }
}

const told = (log: readonly LogLine[], msg: string, fields: object = {}): LogLine[] =>
  log.filter(line => line.msg === msg && Object.entries(fields).every(([key, value]) => line[key] === value))

/** Sends the signals to `pid` and sees what the words promise of a process that nobody starts again. */
async function seeEnd (t: Test, words: string, signals: readonly NodeJS.Signals[], { process: spawned, pid, stops, release }: {
  readonly process: Spawned, readonly pid: number, readonly stops: string, readonly release: () => Promise<unknown>
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
  else t.fail(`nobody knows what "${words}" is`)
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
      const { env, holdDrain } = writeServe(t, await freePorts())
      const serve = spawnNode('serve', CLI, { scriptArguments: ['serve', END_WITH_PARENT], env })
      const release = await holdDrain()
      // Those that end nothing come first: everything goes on.
      for (const [ignored] of lines.map(({ signals }) => signals)) {
        process.kill(serve.pid, ignored)
        await until(() => told(serve.log, 'Signal ignored', { process: 'cli', signal: ignored }).length === 1)
      }
      const pids = told(serve.log, 'Process started').map(({ pid }) => pid as number)
      t.equal(pids.length, 2)
      await seeEnd(t, words, signals, { process: serve, pid: serve.pid, stops: STOPS.control, release })
      await until(() => !pids.some(isAlive))
    })
  }
})

void t.test('a process alone', async t => {
  for (const { signals, alone: words } of rows) {
    await t.test(`${signals.join()}: ${words}`, async t => {
      const pair = await Pair.open({ config: DRAINS, inventory: { 'a.yaml': gameServerYaml('a', { game: 7000, voice: 7001 }) } })
      t.teardown(async () => { await pair.close() })
      const hold = async (): Promise<() => Promise<unknown>> => {
        let token = ''
        await pair.until(async () => {
          const { status, body } = await pair.public('POST', '/query', QUERY)
          token = (body as { token: string }).token
          return status === 200
        })
        return async () => await pair.admin('DELETE', `/tokens/${token}`)
      }
      for (const child of ['proxy', 'control'] as const) {
        if (words === 'a line in the log') {
          process.kill(pair[child].pid, signals[0])
          t.match(await pair[child].line('Signal ignored'), { signal: signals[0] }, child)
          continue
        }
        const release = await hold()
        await seeEnd(t, words, signals, { process: pair[child], pid: pair[child].pid, stops: STOPS[child], release })
        if (child === 'proxy') await pair.restartProxy()
      }
    })
  }
})

void t.test('a process under serve', async t => {
  const { env, admin } = writeServe(t, await freePorts())
  const serve = spawnNode('serve', CLI, { scriptArguments: ['serve', END_WITH_PARENT], env })
  const ready = async (): Promise<void> => { await until(async () => (await admin('GET', '/readyz')).status === 200, { mayFail: true }) }
  await ready()
  for (const { signals, underServe: words } of rows) {
    for (const child of CHILDREN) {
      const { pid, starts } = told(serve.log, 'Process started', { child }).at(-1)! as unknown as { pid: number, starts: number }
      process.kill(pid, signals[0])
      if (words === 'a line in the log') {
        await until(() => told(serve.log, 'Signal ignored', { process: child, signal: signals[0] }).length === 1)
        continue
      }
      // It may have ended before the second one.
      if (signals[1] !== undefined && isAlive(pid)) process.kill(pid, signals[1])
      await until(() => told(serve.log, 'Process started', { child, starts: starts + 1 }).length === 1, { what: () => `${signals.join()} to ${child}` })
      const died = told(serve.log, 'Process died', { child }).at(-1)!
      if (words === 'drains, is started again') t.match(died, { exitCode: 0 }, `${signals.join()} to ${child}`)
      else if (words === 'ends at once, is started again') t.ok(died['exitCode'] === 1 || died['exitCode'] === 0 || died['signal'] === signals[0], `${signals.join()} to ${child}`)
      else t.fail(`nobody knows what "${words}" is`)
      // Of the new one: the proxy is there before control has found it.
      const listens = child === 'proxy' ? 'Proxy listening' : 'Control listening'
      await until(() => told(serve.log, listens).length > starts)
      await ready()
    }
  }
  serve.kill('SIGTERM')
  t.equal(await serve.ended, 0)
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

void t.test('a terminal that is closed is SIGTERM, and what it asks for goes on without words', { skip: hasScript ? false : 'script(1) is needed for a terminal' }, async t => {
  const { env, admin, holdDrain } = writeServe(t, await freePorts())
  const terminal = spawn('script', ['-qec', `echo $$; exec ${process.execPath} ${CLI} serve`, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  terminal.stdout.on('data', data => { out += String(data) })
  const release = await holdDrain()
  const pid = Number.parseInt(out, 10)
  t.teardown(() => { if (isAlive(pid)) process.kill(pid, 'SIGKILL') })
  t.ok(isAlive(pid))
  terminal.kill('SIGKILL')
  await until(async () => (await (await admin('GET', '/readyz')).json() as { status: string }).status === 'draining')
  t.ok(isAlive(pid))
  await release()
  await until(() => !isAlive(pid))
})
