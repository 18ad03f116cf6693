import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '#testkit/patience.js'
import { serve } from '../../src/commands/serve.js'
import { createFakeRuntime, type Puppet } from '../fake-runtime.js'

const config = `
queryPort: 0
adminPort: 0
dataPorts: [{ name: game, port: 0 }]
inventory: { provider: file, path: inventory }
resourceQueryMapping:
  gameserver: { group: agones.dev, resource: gameservers, addressPath: status.address, portName: default }
`

const variables = ['LOG_LEVEL', 'CONFIG_PATH', 'UDP_DIRECTOR_SOCKET'] as const

function setEnvironment (t: Test, env: Partial<Record<typeof variables[number], string>>): void {
  for (const name of variables) {
    const before = process.env[name]
    process.env[name] = env[name] ?? ''
    t.teardown(() => { if (before === undefined) Reflect.deleteProperty(process.env, name); else process.env[name] = before })
  }
}

const socketOf = ({ spec }: Puppet): string => spec.env['UDP_DIRECTOR_SOCKET']!

void t.test('both run on a private socket, and a signal ends them', async t => {
  const file = `${t.testdir({ 'config.yaml': config, inventory: {} })}/config.yaml`
  setEnvironment(t, { LOG_LEVEL: 'debug' })
  const { runtime, puppets, signal, text, exit } = createFakeRuntime(({ say }) => { say('Here') })
  const ended = serve({ config: file }, runtime)
  await until(() => puppets.length === 2)
  t.same(puppets.map(({ spec }) => spec.name), ['control', 'proxy'])
  for (const { spec } of puppets) t.match(spec.env, { CONFIG_PATH: file, LOG_LEVEL: 'debug' })
  const [socket, other] = puppets.map(socketOf) as [string, string]
  t.equal(socket, other)
  t.equal(statSync(dirname(socket)).mode & 0o777, 0o700)
  await until(() => /"process":"proxy","msg":"Here"}\n/.test(text.out))
  signal('SIGTERM')
  t.equal(await ended, 0)
  t.notOk(existsSync(dirname(socket)))
  exit()
})

void t.test('a socket that the environment names is used', async t => {
  const dir = t.testdir({ 'config.yaml': config, inventory: {} })
  setEnvironment(t, { CONFIG_PATH: `${dir}/config.yaml`, UDP_DIRECTOR_SOCKET: '/tmp/mine.sock' })
  const { runtime, puppets, signal } = createFakeRuntime(() => {})
  const ended = serve({ config: undefined }, runtime)
  await until(() => puppets.length === 2)
  t.same(puppets.map(socketOf), ['/tmp/mine.sock', '/tmp/mine.sock'])
  signal('SIGINT')
  t.equal(await ended, 0)
})

void t.test('a process that refuses its configuration ends the other too, with 78', async t => {
  const file = `${t.testdir({ 'config.yaml': config, inventory: {} })}/config.yaml`
  setEnvironment(t, {})
  const { runtime, text } = createFakeRuntime(({ spec, end }) => { if (spec.name === 'proxy') end(78) })
  t.equal(await serve({ config: file }, runtime), 78)
  t.match(text.out, /"child":"control","exitCode":0,.*"Process stopped"/)
})

void t.test('faults are listed before anything starts', async t => {
  const dir = t.testdir({ 'config.yaml': `${config}\nloadBalancing: x\nnamespaces: y\n` })
  setEnvironment(t, { CONFIG_PATH: '/nowhere.yaml' })
  const { runtime, text, puppets } = createFakeRuntime(() => {})
  t.equal(await serve({ config: `${dir}/config.yaml` }, runtime), 78)
  t.match(text.err, /config\.yaml has 2 faults:\n/)
  t.notMatch(text.err, /--config/)
  t.equal(await serve({ config: undefined }, runtime), 78)
  t.match(text.err, /\/nowhere\.yaml has 1 fault:\n.*\nAnother file is named with --config FILE/)
  setEnvironment(t, { LOG_LEVEL: 'loud' })
  t.equal(await serve({ config: undefined }, runtime), 78)
  t.match(text.err, /LOG_LEVEL: must be one of/)
  t.equal(puppets.length, 0)
})

void t.test('all ports that are taken are named before anything starts', async t => {
  const query = createServer().listen(0, '127.0.0.1')
  const data = createSocket('udp4').bind(0, '127.0.0.1')
  t.teardown(() => { query.close(); data.close() })
  await Promise.all([once(query, 'listening'), once(data, 'listening')])
  const queryPort = (query.address() as AddressInfo).port
  const dataPort = data.address().port
  const mapping = config.slice(config.indexOf('inventory:'))
  const dir = t.testdir({ 'config.yaml': `bindAddress: 127.0.0.1\nqueryPort: ${queryPort}\nadminPort: 0\ndataPorts: [{ name: game, port: ${dataPort} }, { name: voice, port: 0 }]\n${mapping}`, inventory: {} })
  setEnvironment(t, {})
  const { runtime, text, puppets } = createFakeRuntime(() => {})
  t.equal(await serve({ config: `${dir}/config.yaml` }, runtime), 78)
  t.equal(text.err, `TCP port ${queryPort} is taken by another process.
UDP port ${dataPort} is taken by another process.
End what listens there, or choose others in ${dir}/config.yaml: queryPort, dataPorts.game.
`)
  t.equal(puppets.length, 0)
})
