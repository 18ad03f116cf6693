// The whole control process but for its main: real ports, a real inventory on disk, a fake proxy.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { Pool } from 'undici'
import { parseConfig } from '#config/load/load-config.js'
import { systemClock } from '#core/system-clock.js'
import { startFakeProxy, type FakeProxy } from '#testkit/fake-proxy.js'
import { until } from '#testkit/patience.js'
import { openControl, type ControlOptions } from '../src/control.js'
import { machinePlatform } from '../src/platform.js'

const server = `
apiVersion: agones.dev/v1
kind: GameServer
metadata: { name: dust2-1, namespace: game-servers, labels: { map: de_dust2 } }
status: { state: Allocated, address: 127.0.0.1, ports: [{ name: default, port: 7000 }] }
`

interface Setting {
  readonly options: (inventoryPath?: string) => ControlOptions
  readonly logged: string[]
  readonly proxy: FakeProxy
}

async function makeSetting (t: Test): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'udp-director-'))
  await writeFile(join(directory, 'servers.yaml'), server)
  const proxy = await startFakeProxy()
  const logged: string[] = []
  t.teardown(async () => {
    await proxy.close()
    await rm(directory, { recursive: true })
  })
  return {
    logged,
    proxy,
    options: (inventoryPath = directory) => {
      const parsed = parseConfig(`
queryPort: 0
adminPort: 0
bindAddress: 127.0.0.1
allowedTargets: [127.0.0.0/8]
resourceQueryMapping:
  gameserver: { group: agones.dev, version: v1, resource: gameservers, addressPath: status.address, portName: default }
inventory: { provider: file, path: ${inventoryPath} }`, join(directory, 'config.yaml'))
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
      return { config: parsed.value.config, platform: machinePlatform({ socketPath: proxy.socketPath, clock: systemClock, random: Math.random }), log: pino({}, { write: (line: string) => { logged.push(line) } }) }
    }
  }
}

void t.test('it listens on the ports it says, answers a query, and ends its requests before it ends', async t => {
  const { options, logged, proxy } = await makeSetting(t)
  const control = await openControl(options())
  if (!control.ok) throw new Error(control.error)
  const { queryPort, adminPort } = control.value.ports
  const told = logged.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'Control listening')
  t.match(told, [{ queryPort, adminPort }])
  const open = new Pool(`http://127.0.0.1:${queryPort}`)
  const admin = new Pool(`http://127.0.0.1:${adminPort}`)
  t.teardown(async () => { await Promise.all([open.close(), admin.close()]) })
  const status = async (pool: Pool, path: string): Promise<number> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path })
    await body.dump()
    return statusCode
  }
  await until(async () => await status(open, '/readyz') === 200)
  const ask = async (): Promise<number> => {
    const { statusCode, body } = await open.request({
      method: 'POST',
      path: '/query',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceType: 'gameserver', namespace: 'game-servers', labelSelector: { map: 'de_dust2' } })
    })
    await body.dump()
    return statusCode
  }
  t.equal(await ask(), 200)
  t.equal(await status(admin, '/metrics'), 200)
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = ({ name }) => name === 'pushTokens' ? { kind: 'delay', until: released } : undefined
  const asked = ask()
  await proxy.until(() => proxy.tokens.size === 2)
  const closed = control.value.close()
  release()
  t.equal(await asked, 200, 'a request under way is finished')
  await closed
  await t.rejects(ask(), 'and nobody listens any more')
})

void t.test('what cannot work is said in a sentence, and leaves nothing open', async t => {
  const { options } = await makeSetting(t)
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const config = { ...options().config }
  const cases = [
    [{ ...options(), config: { ...config, queryPort: port } }, `Port ${port} is taken: end what listens there, or set queryPort to another port.`],
    [{ ...options(), config: { ...config, adminPort: port } }, `Port ${port} is taken: end what listens there, or set adminPort to another port.`],
    [{ ...options(), config: { ...config, bindAddress: '192.0.2.1' } }, 'bindAddress 192.0.2.1 is not an address of this machine.'],
    [options('/nowhere/at/all'), 'inventory.path: /nowhere/at/all does not exist']
  ] as const
  for (const [given, sentence] of cases) t.strictSame(await openControl(given), { ok: false, error: sentence })
})
