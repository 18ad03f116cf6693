import t from 'tap'
import { environmentDefaults, environmentWith, MAX_SOCKET_PATH_BYTES, readEnvironment, readPlace } from '../src/env.js'
import { nearest } from '../src/nearest.js'

void t.test('reads four variables, each with its default', async t => {
  t.strictSame(readEnvironment({}), { ok: true, value: environmentDefaults })
  t.strictSame(readEnvironment({ CONFIG_PATH: '', LOG_LEVEL: '', UDP_DIRECTOR_SOCKET: '' }), { ok: true, value: environmentDefaults }, 'empty is not set')
  t.strictSame(readEnvironment({ CONFIG_PATH: 'a.yaml', LOG_LEVEL: 'trace', UDP_DIRECTOR_SOCKET: '/tmp/s', HOME: '/' }), {
    ok: true, value: { configPath: 'a.yaml', logLevel: 'trace', socketPath: '/tmp/s', statePath: '/tmp/s.state' }
  })
  const statePath = (env: Readonly<Record<string, string>>): unknown => {
    const read = readEnvironment(env)
    return read.ok && read.value.statePath
  }
  t.equal(statePath({ UDP_DIRECTOR_SOCKET: '/tmp/a.sock' }), '/tmp/a.state', 'beside the socket')
  t.equal(statePath({ UDP_DIRECTOR_SOCKET: '/tmp/a.sock', UDP_DIRECTOR_STATE: '/var/b' }), '/var/b')
  t.equal(statePath({ UDP_DIRECTOR_STATE: 'off' }), undefined, 'none is kept')
})

void t.test('what a pod is told of itself; empty is not set', async t => {
  t.strictSame(readPlace({ UDP_DIRECTOR_ADVERTISE: '203.0.113.7', POD_NAME: 'udp-director-0', POD_NAMESPACE: 'udp-director', NODE_NAME: '' }),
    { advertise: '203.0.113.7', podName: 'udp-director-0', podNamespace: 'udp-director', nodeName: undefined })
})

void t.test('reads the process\'s own environment', async t => {
  t.intercept(process, 'env', { value: { LOG_LEVEL: 'debug' } })
  t.match(readEnvironment(), { ok: true, value: { logLevel: 'debug' } })
  t.strictSame(environmentWith({}), { LOG_LEVEL: 'debug' })
})

void t.test('what cannot be used is a fault, all at once', async t => {
  t.strictSame(readEnvironment({ LOG_LEVEL: 'wrn', UDP_DIRECTOR_SOCKET: `/${'ä'.repeat(54)}` }), {
    ok: false,
    error: [
      { path: 'LOG_LEVEL', message: 'must be one of error, warn, info, debug, trace; not "wrn". Did you mean warn?' },
      { path: 'UDP_DIRECTOR_SOCKET', message: 'must be at most 107 bytes long: a Unix socket cannot have a longer path.' }
    ]
  })
  t.match(readEnvironment({ LOG_LEVEL: 'INFO' }), { ok: false, error: [{ message: /not "INFO"\. Did you mean info\?$/ }] })
  t.ok(readEnvironment({ UDP_DIRECTOR_SOCKET: '/'.repeat(MAX_SOCKET_PATH_BYTES) }).ok)
})

void t.test('the environment of a child is ours with changes', async t => {
  const ours = { HOME: '/root', LOG_LEVEL: 'info' }
  t.strictSame(environmentWith({ configPath: 'b.yaml', logLevel: 'warn' }, ours), { HOME: '/root', LOG_LEVEL: 'warn', CONFIG_PATH: 'b.yaml' })
  t.strictSame(ours, { HOME: '/root', LOG_LEVEL: 'info' })
})

void t.test('the nearest word is near, or there is none', async t => {
  const words = ['queryPort', 'adminPort', 'dataPorts', 'inventory']
  t.equal(nearest('queryport', words), 'queryPort')
  t.equal(nearest('qureyPort', words), 'queryPort', 'two letters swapped')
  t.equal(nearest('dataPort', words), 'dataPorts')
  t.equal(nearest('inventroy', words), 'inventory')
  t.equal(nearest('drainTimeout', words), undefined)
  t.equal(nearest('tokenTTL', ['tokenTtlSeconds']), 'tokenTtlSeconds', 'a beginning')
  t.equal(nearest('inv', ['inventory']), undefined, 'but not of three letters')
  t.equal(nearest('prot', ['port']), 'port', 'also in a short word')
  t.equal(nearest('nope', ['type', 'name']), undefined, 'half of a word is too much')
  t.equal(nearest('x', ['y']), undefined, 'one letter is not a hint')
  t.equal(nearest('ab', ['cd']), undefined, 'not when nothing of it remains')
  t.equal(nearest('a'.repeat(100_000), words), undefined)
})
