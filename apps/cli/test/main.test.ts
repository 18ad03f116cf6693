// The command as a person or a script runs it: the built program, its output and its exit code.
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { END_WITH_PARENT } from '#telemetry/end-with-parent.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { isAlive } from '#testkit/processes/child.js'
import { claimDemoPorts } from '#testkit/demo-ports.js'
import { until } from '#testkit/patience.js'
import { pasteSteps } from '../src/demo/introduction.js'
import { findBusyDemoPorts } from '../src/demo/ports.js'
import { portsFrom } from '../src/demo/world.js'

const program = resolve('dist/apps/cli/src/main.js')

interface Run {
  readonly out: () => string
  readonly err: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when stdout matches; returns the match. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>
  readonly ended: Promise<number | null>
  /** Its private directory for temporary files. */
  readonly tmp: string
}

// The test runner puts its module loader into the NODE_OPTIONS of every child: twice the start-up time, and not what
// users run. env(1) takes it out again and becomes the process.
const node = ['-u', 'NODE_OPTIONS', process.execPath, program]

// Short, because a Unix socket goes into it.
function shortFolder (): string {
  return mkdtempSync(join(tmpdir(), 'cli-'))
}

function run (t: Test, args: readonly string[], env: Record<string, string> = {}, tmp = shortFolder()): Run {
  const child = spawn('/usr/bin/env', [...node, ...args, END_WITH_PARENT], { env: { ...process.env, LOG_LEVEL: '', CONFIG_PATH: '', UDP_DIRECTOR_SOCKET: '', UDP_DIRECTOR_STATE: '', ...env, TMPDIR: tmp }, stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', data => { out += String(data) })
  child.stderr.on('data', data => { err += String(data) })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
    rmSync(tmp, { recursive: true, force: true })
  })
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    await until(() => pattern.test(out) || child.exitCode !== null || child.signalCode !== null, { what: () => `${String(pattern)} in\n${out}\n${err}` })
    const match = pattern.exec(out)
    if (match === null) throw new Error(`ended without ${String(pattern)}:\n${out}\n${err}`)
    return match
  }
  return { out: () => out, err: () => err, kill: signal => { child.kill(signal) }, says, ended, tmp }
}

function jsonLines (text: string): any[] {
  return text.split('\n').filter(line => line.startsWith('{"level"')).map(line => JSON.parse(line))
}

function pidsIn (text: string): number[] {
  return jsonLines(text).filter(({ msg }) => msg === 'Process started').map(({ pid }) => pid)
}

function configFile (t: Test, text: string): string {
  return join(t.testdir({ 'config.yaml': text, inventory: {} }), 'config.yaml')
}

const config = (queryPort = 0): string => `
bindAddress: 127.0.0.1
queryPort: ${queryPort}
adminPort: 0
dataPorts: [{ name: default, port: 0 }]
inventory: { provider: file, path: inventory }
namespaces: [games]
resourceQueryMapping:
  gameserver: { group: agones.dev, resource: gameservers, addressPath: status.address, portName: default }
`

void t.test('up --once goes through the whole flow beside a running director and leaves nothing', async t => {
  const { ended, out, err, tmp } = run(t, ['up', '--once'])
  t.equal(await ended, 0, err())
  t.equal(out().match(/^ok +\d+\.\d ms {2}\w/gm)?.length, 11, out())
  t.match(out(), /\n11 passed, 0 failed in \d+ ms\n$/)
  t.same(readdirSync(tmp), [])
})

void t.test('a taken port is named, with the way out, and nothing is started', async t => {
  const { offset } = await claimDemoPorts()
  const { query, data } = portsFrom(offset)
  const tcp = createServer().listen(query, '127.0.0.1')
  const udp = createSocket('udp4').bind(data, '127.0.0.1')
  t.teardown(() => { tcp.close(); udp.close() })
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  const { ended, out, err, tmp } = run(t, ['up', '--port-offset', String(offset)])
  t.equal(await ended, 78)
  t.match(err(), new RegExp(`^TCP port ${query} is taken by another process\\.\nUDP port ${data} is taken by another process\\.\n`))
  t.match(err(), /--port-offset \d+/)
  t.equal(out(), '')
  t.same(readdirSync(tmp), [])
})

const hasTools = ['bash', 'nc', 'curl'].every(tool => spawnSync(tool, ['-h'], { stdio: 'ignore' }).error === undefined)

void t.test('up prints lines that work when pasted, shows what happens, and ends on Ctrl-C without leaving anything', async t => {
  const { offset } = await claimDemoPorts()
  const { says, out, ended, kill, tmp } = run(t, ['up', '--port-offset', String(offset)])
  await says(/Ctrl-C ends everything/)
  const steps = pasteSteps(portsFrom(offset))
  for (const command of steps.flatMap(({ commands }) => commands)) t.ok(out().includes(command), command)
  await t.test('the lines', { skip: hasTools ? false : 'bash, nc and curl are needed' }, async t => {
    const script = steps.flatMap(({ commands }) => commands).join('\n')
    const bash = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    bash.stdout.on('data', data => { printed += String(data) })
    await once(bash, 'close')
    const uuid = '[0-9a-f-]{36}\n'
    t.match(printed, new RegExp(`^${uuid}arena-1: hello\n${uuid}arena-2: hello again\nlobby: anyone there\n{"sessions":`))
    const clientPort = portsFrom(offset).data + 10_000
    const { target, sessionId } = jsonLines(out()).find(({ msg }) => msg === 'Session reset')
    t.match(target, /^127\.0\.0\.1:\d+$/)
    t.match(jsonLines(out()).find(({ msg }) => msg === 'Session established'), { client: `127.0.0.1:${clientPort}`, sessionId })
  })
  await until(() => pidsIn(out()).length === 2, { what: out })
  const pids = pidsIn(out())
  kill('SIGINT')
  t.equal(await ended, 0)
  t.notOk(pids.some(isAlive), 'no process is left')
  t.same(readdirSync(tmp), [])
})

void t.test('serve starts a process that was killed again, and stops both in order', async t => {
  const { says, out, ended, kill, tmp } = run(t, ['serve', '--config', configFile(t, config())])
  await says(/"Proxy synchronised"/)
  t.match(readdirSync(tmp), [/^udp-director-/], 'the socket is in a private directory')
  for (const child of ['proxy', 'control']) {
    const { pid } = jsonLines(out()).find(line => line.msg === 'Process started' && line.child === child)
    process.kill(pid, 'SIGKILL')
    await says(new RegExp(`"child":"${child}","exitCode":null,"signal":"SIGKILL","retryInMs":0,"msg":"Process died"`))
    await says(new RegExp(`"child":"${child}","pid":\\d+,"starts":2[^]*"Proxy synchronised"`))
  }
  kill('SIGTERM')
  t.equal(await ended, 0)
  t.match(jsonLines(out()).filter(({ msg }) => msg === 'Process stopped').map(({ child, exitCode }) => [child, exitCode]), [['control', 0], ['proxy', 0]])
  const pids = pidsIn(out())
  t.equal(pids.length, 4)
  t.notOk(pids.some(isAlive))
  t.same(readdirSync(tmp), [])
})

// Where its processes keep what they know, in memory if this machine has a place for it.
function stateFolder (pid: number): string {
  const [, path = ''] = /UDP_DIRECTOR_STATE=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? []
  return dirname(path)
}

void t.test('serve that is killed while it drains takes its processes along; the next one finds the ports free and cleans up', async t => {
  const file = configFile(t, config())
  writeFileSync(join(dirname(file), 'inventory', 'a.yaml'), gameServerYaml('a', { default: 7000 }, { address: '192.0.2.1' }))
  const first = run(t, ['serve', '--config', file])
  await first.says(/"Proxy synchronised"/)
  const [, queryPort] = await first.says(/"queryPort":(\d+)/)
  const [, dataPort] = await first.says(/"dataPorts":\{"default":(\d+)\}/)
  const pids = pidsIn(first.out())
  const folder = existsSync('/proc/self/environ') ? stateFolder(pids[0]!) : first.tmp
  t.ok(existsSync(folder))
  // A token that nobody redeems, so that it has something to wait for.
  await until(async () => (await fetch(`http://127.0.0.1:${queryPort}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"resourceType": "gameserver", "namespace": "games"}'
  })).status === 200)
  first.kill('SIGTERM')
  await first.says(/"Control draining, no more tokens"/)
  first.kill('SIGKILL')
  t.equal(await first.ended, null)
  await until(() => !pids.some(isAlive))
  writeFileSync(file, config(Number(queryPort)).replace('name: default, port: 0', `name: default, port: ${dataPort}`))
  const second = run(t, ['serve', '--config', file], {}, first.tmp)
  await second.says(/"Proxy synchronised"/)
  t.equal(readdirSync(first.tmp).length, 1, 'what the first one left is removed')
  if (folder !== first.tmp) t.notOk(existsSync(folder))
  second.kill('SIGTERM')
  t.equal(await second.ended, 0)
  t.same(readdirSync(first.tmp), [])
})

void t.test('serve ends with 78 when a port is taken', async t => {
  const tcp = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { tcp.close() })
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const { ended, out, err, tmp } = run(t, ['serve'], { CONFIG_PATH: configFile(t, config(port)) })
  t.equal(await ended, 78)
  t.match(out() + err(), new RegExp(String(port)))
  t.notOk(pidsIn(out()).some(isAlive))
  t.same(readdirSync(tmp), [])
})

void t.test('proxy alone: its output, its end on a signal and its exit code are passed through', async t => {
  const file = configFile(t, config())
  const { says, ended, kill, tmp } = run(t, ['proxy', '--config', file], { UDP_DIRECTOR_SOCKET: join(tmpdir(), `cli-${process.pid}.sock`) })
  await says(/"Proxy listening"/)
  kill('SIGTERM')
  t.equal(await ended, 0)
  t.same(readdirSync(tmp), [])
  writeFileSync(file, 'queryPort: x')
  const refused = run(t, ['proxy'], { CONFIG_PATH: file })
  t.equal(await refused.ended, 78)
  t.match(refused.err(), /queryPort: must be/)
})

void t.test('help and version on stdout, a bad command line on stderr with 64', async t => {
  const [help, version, bad] = [run(t, ['up', '--help']), run(t, ['--version']), run(t, ['upp'])]
  t.same(await Promise.all([help.ended, version.ended, bad.ended]), [0, 0, 64])
  t.match(help.out(), /^Usage: udp-director up/)
  t.match(version.out(), /^\d+\.\d+\.\d+\n$/)
  t.equal(bad.err(), 'There is no command upp. Did you mean up?\nSee: udp-director --help\n')
})

void t.test('a reader that goes away ends everything', async t => {
  const { offset } = await claimDemoPorts()
  const tmp = mkdtempSync(join(tmpdir(), 'cli-'))
  t.teardown(() => { rmSync(tmp, { recursive: true, force: true }) })
  const child = spawn('/usr/bin/env', [...node, 'up', '--port-offset', String(offset)], { env: { ...process.env, TMPDIR: tmp }, stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.destroy()
  t.equal((await once(child, 'close'))[0], 1)
  t.same(await findBusyDemoPorts(portsFrom(offset)), [], 'its processes are gone')
  t.same(readdirSync(tmp), [])
})
