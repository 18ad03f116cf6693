// What a person sees when a process cannot start: one clear text on stderr, exit code 78, nothing half started.
import { createSocket } from 'node:dgram'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { claimPort } from '#testkit/ports.js'
import { startApp } from '#testkit/processes/node-program.js'
import { startServer, withServer } from '#testkit/store/store-server.js'

async function folder (t: Test): Promise<string> {
  return (await forTest(t, openFolder())).path
}

interface End { readonly code: number | string, readonly stderr: string, readonly file: string, readonly lines: number }

async function start (t: Test, app: 'control' | 'proxy', config: string | undefined, env: Record<string, string> = {}): Promise<End> {
  const path = await folder(t)
  const file = join(path, 'config.yaml')
  if (config !== undefined) await writeFile(file, config)
  const spawned = startApp(app, { CONFIG_PATH: file, UDP_DIRECTOR_SOCKET: join(path, 'proxy.sock'), ...env })
  t.teardown(() => { spawned.kill('SIGKILL') })
  const code = await spawned.ended
  return { code, stderr: spawned.stderr(), file, lines: spawned.log.length }
}

const base = 'bindAddress: 127.0.0.1\nqueryPort: 0\nadminPort: 0\ninventory: {provider: file, path: .}\n'

const fiveFaults = `${base}tokenTtlSeconds: 0
controlPacketMagicBytes: XYZ
sesionTimeoutSeconds: 60
dataPorts: [{name: game, port: 70000}]
allowedTargets: [10.0.0.0/33]
`

void t.test('both processes list every fault of a configuration', async t => {
  for (const app of ['control', 'proxy'] as const) {
    const { code, stderr, file, lines } = await start(t, app, fiveFaults)
    t.equal(code, 78)
    t.equal(lines, 0, 'nothing but the faults')
    const [head, ...faults] = stderr.trimEnd().split('\n')
    t.equal(head, `${file} has 5 faults:`)
    t.equal(faults.length, 5)
    for (const [index, pattern] of [
      /^ {2}tokenTtlSeconds: must be .*1.*3600.*, not 0\.$/,
      /^ {2}controlPacketMagicBytes: must be .*hex/,
      /^ {2}sesionTimeoutSeconds: .*sessionTimeoutSeconds/,
      /^ {2}dataPorts\[0\]\.port: must be .*65535, not 70000\.$/,
      /^ {2}allowedTargets\[0\]: must be .*10\.0\.0\.0\/33/
    ].entries()) t.ok(faults.some(fault => pattern.test(fault)), `fault ${index + 1}: ${faults.join(' | ')}`)
  }
})

void t.test('a missing file, broken YAML, a bad environment', async t => {
  const missing = await start(t, 'proxy', undefined)
  t.match(missing, { code: 78, stderr: `${missing.file} has 1 fault:\n  the file: cannot be read: ENOENT.\n` })
  const broken = await start(t, 'control', 'queryPort: [1')
  t.match(broken, { code: 78, stderr: /line 1, column \d+: / })
  const level = await start(t, 'control', base, { LOG_LEVEL: 'loud' })
  t.match(level, { code: 78, stderr: /^The environment has 1 fault:\n {2}LOG_LEVEL: must be one of error, warn, info, debug, trace; not "loud"\./ })
  const noInventory = await start(t, 'control', base.replace('path: .', 'path: nowhere'))
  t.match(noInventory, { code: 78, stderr: /nowhere/ })
})

void t.test('a taken port is named', async t => {
  const udp = createSocket('udp4')
  await new Promise<void>(resolve => { udp.bind(0, '127.0.0.1', resolve) })
  t.teardown(() => udp.close())
  const udpPort = udp.address().port
  t.match(await start(t, 'proxy', `${base}dataPorts: [{name: game, port: ${udpPort}}]\n`),
    { code: 78, stderr: `data port "game": cannot bind UDP 127.0.0.1 port ${udpPort} (EADDRINUSE): end what has it, or choose another port under dataPorts.\n` })
  const tcp = createServer()
  await new Promise<void>(resolve => { tcp.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => tcp.close())
  const tcpPort = (tcp.address() as AddressInfo).port
  for (const key of ['queryPort', 'adminPort']) {
    t.match(await start(t, 'control', base.replace(`${key}: 0`, `${key}: ${tcpPort}`)),
      { code: 78, stderr: `Port ${tcpPort} is taken: end what listens there, or set ${key} to another port.\n` })
  }
})

void t.test('a socket path that cannot be', async t => {
  t.match(await start(t, 'proxy', `${base}dataPorts: [{name: game, port: 0}]\n`, { UDP_DIRECTOR_SOCKET: '/nowhere/proxy.sock' }),
    { code: 78, stderr: 'cannot listen on /nowhere/proxy.sock: there is no directory /nowhere.\n' })
  t.match(await start(t, 'proxy', base, { UDP_DIRECTOR_SOCKET: `/tmp/${'x'.repeat(120)}` }), { code: 78, stderr: /UDP_DIRECTOR_SOCKET: must be at most 107 bytes long/ })
})

void t.test('state logs that another proxy has: the second is refused, the first keeps them', async t => {
  const path = await folder(t)
  const config = `${base}dataPorts: [{name: game, port: 0}]\n`
  await writeFile(join(path, 'config.yaml'), config)
  const state = { UDP_DIRECTOR_STATE: join(path, 'proxy.state') }
  const first = startApp('proxy', { CONFIG_PATH: join(path, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(path, 'proxy.sock'), ...state })
  t.teardown(() => { first.kill('SIGKILL') })
  await first.line('Proxy listening')
  const logs = async (): Promise<string[]> => (await readdir(path)).filter(name => name.startsWith('proxy.state.'))
  const before = await logs()
  t.not(before.length, 0)
  // With data ports and a socket of its own.
  t.match(await start(t, 'proxy', config, state),
    { code: 78, lines: 0, stderr: `another proxy has the state logs ${path}/proxy.state.*: end it, or name another place by UDP_DIRECTOR_STATE.\n` })
  t.same(await logs(), before)
  first.kill('SIGKILL')
  await first.ended
  const next = startApp('proxy', { CONFIG_PATH: join(path, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(path, 'other.sock'), ...state })
  t.teardown(() => { next.kill('SIGKILL') })
  await next.line('Proxy listening')
  next.kill('SIGTERM')
  t.equal(await next.ended, 0)
  t.same((await readdir(path)).filter(name => name.endsWith('.owner')), [], 'nothing is left of a claim')
})

void t.test('a shared store that would throw claims away is refused, with what to do', withServer, async t => {
  const { port } = await startServer(t, { settings: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] })
  t.match(await start(t, 'control', `${base}sharedState: {urls: ["redis://127.0.0.1:${port}"]}\n`), {
    code: 78,
    stderr: 'sharedState: the server throws keys away when its memory is full (maxmemory-policy allkeys-lru): set maxmemory-policy noeviction, so that no token is redeemed twice.\n'
  })
})

void t.test('a shared store that cannot be reached stops no start', async t => {
  const path = await folder(t)
  const { port } = await claimPort()
  await writeFile(join(path, 'config.yaml'), `${base}drainTimeoutSeconds: 0\nsharedState: {urls: ["redis://127.0.0.1:${port}"]}\n`)
  const control = startApp('control', { CONFIG_PATH: join(path, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(path, 'proxy.sock') })
  t.teardown(() => { control.kill('SIGKILL') })
  const { adminPort } = await control.line('Control listening')
  t.match(await (await fetch(`http://127.0.0.1:${Number(adminPort)}/healthz`)).json(), { store: { status: 'down', reason: /ECONNREFUSED/ } })
  control.kill('SIGTERM')
  t.equal(await control.ended, 0)
})

void t.test('SIGTERM ends both with 0, in whatever order', async t => {
  const path = await folder(t)
  // With a drain control would wait for the proxy to come back.
  await writeFile(join(path, 'config.yaml'), `${base}drainTimeoutSeconds: 0\ndataPorts: [{name: game, port: 0}]\n`)
  const env = { CONFIG_PATH: join(path, 'config.yaml'), UDP_DIRECTOR_SOCKET: join(path, 'proxy.sock') }
  const [proxy, control] = [startApp('proxy', env), startApp('control', env)]
  await control.line('Proxy synchronised')
  proxy.kill('SIGTERM')
  t.equal(await proxy.ended, 0)
  t.equal(proxy.log.at(-1)!.msg, 'Proxy stopped')
  control.kill('SIGTERM')
  t.equal(await control.ended, 0)
  t.equal(control.log.at(-1)!.msg, 'Control stopped')
})
