import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { claimDemoPorts } from '#testkit/demo-ports.js'
import { until } from '#testkit/patience.js'
import { up } from '../../src/commands/up.js'
import { portsFrom } from '../../src/demo/world.js'
import { openFakeDirector } from '../demo/fake-director.js'
import { createFakeRuntime, type FakeRuntime, type Puppet } from '../fake-runtime.js'

const configOf = (puppets: readonly Puppet[]): string => puppets[0]!.spec.env['CONFIG_PATH']!

/** Puppets that say they listen where the fake director does. */
async function setUp (t: { teardown: (run: () => void) => void }, isTerminal: boolean): Promise<FakeRuntime> {
  const { demo, close } = await openFakeDirector(undefined)
  t.teardown(close)
  const { query: queryPort, admin: adminPort, data } = demo.ports
  return createFakeRuntime(({ spec, say }) => {
    if (spec.name === 'control') say('Control listening', { queryPort, adminPort })
    else say('Proxy listening', { dataPorts: { default: data } })
  }, isTerminal)
}

void t.test('live on a terminal: the introduction, then what happens, until a signal', async t => {
  const { runtime, text, puppets, signal } = await setUp(t, true)
  const ended = up({ command: 'up', isOnce: false, portOffset: (await claimDemoPorts()).offset }, runtime)
  await until(() => text.out.includes('Ctrl-C ends everything'))
  t.match(readFileSync(configOf(puppets), 'utf8'), /provider: file/)
  t.match(puppets[0]!.spec.env['LOG_LEVEL'], /info|debug|trace/)
  t.notMatch(text.out, /listening/, 'the start is not shown when it went well')
  puppets[1]!.say('Session established', { client: '1.2.3.4:5', target: '127.0.0.1:6', targetKey: 'gameserver/games/lobby' })
  t.match(text.out, /Session established {3}1\.2\.3\.4:5 → lobby \(127\.0\.0\.1:6\)\n$/)
  signal('SIGINT')
  t.equal(await ended, 0)
  t.match(text.out, /\nStopping\.\n/)
  t.notOk(existsSync(configOf(puppets)), 'its files are removed')
})

void t.test('once: a step that fails shows the log, and the exit code is 1', async t => {
  // The fake director answers for the game servers itself, so the demo's own never get anything.
  const { runtime, text, puppets } = await setUp(t, false)
  t.equal(await up({ command: 'up', isOnce: true, portOffset: undefined }, runtime), 1)
  t.match(text.out, /FAIL.*The token, then data.*\n.*what arena-1 received: expected \["hello"\], got \[\]\n\n2 passed, 1 failed in/)
  t.match(text.err, /The log of the director:\n[^]*Control listening/)
  t.notOk(existsSync(configOf(puppets)))
})

void t.test('a signal while it starts ends it; the steps of --once have not passed then', async t => {
  for (const [isOnce, exitCode] of [[false, 0], [true, 1]] as const) {
    const { runtime, text, signal, puppets } = createFakeRuntime(() => {})
    const ended = up({ command: 'up', isOnce, portOffset: (await claimDemoPorts()).offset }, runtime)
    await until(() => puppets.length === 2)
    signal('SIGTERM')
    t.equal(await ended, exitCode)
    t.equal(text.out + text.err, '')
  }
})

void t.test('a process that refuses to run ends it with 78 and its log', async t => {
  const { runtime, text, puppets } = createFakeRuntime(({ spec, say, end }) => {
    if (spec.name !== 'proxy') return
    say('cannot bind')
    end(78)
  })
  t.equal(await up({ command: 'up', isOnce: true, portOffset: undefined }, runtime), 78)
  t.match(text.err, /cannot bind[^]*its log is above.*--port-offset\.\n$/)
  t.notOk(existsSync(configOf(puppets)))
})

void t.test('taken ports and a bad environment are told before anything starts', async t => {
  const { offset } = await claimDemoPorts()
  const { runtime, text, puppets } = createFakeRuntime(() => {})
  const tcp = createServer().listen(portsFrom(offset).admin, '127.0.0.1')
  t.teardown(() => { tcp.close() })
  await once(tcp, 'listening')
  t.equal(await up({ command: 'up', isOnce: false, portOffset: offset }, runtime), 78)
  t.match(text.err, new RegExp(`^TCP port ${9090 + offset} is taken`))
  const before = process.env['LOG_LEVEL']
  t.teardown(() => { if (before === undefined) Reflect.deleteProperty(process.env, 'LOG_LEVEL'); else process.env['LOG_LEVEL'] = before })
  process.env['LOG_LEVEL'] = 'loud'
  t.equal(await up({ command: 'up', isOnce: false, portOffset: offset }, runtime), 78)
  t.match(text.err, /LOG_LEVEL: must be one of/)
  t.equal(puppets.length, 0)
})
