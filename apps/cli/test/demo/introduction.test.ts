import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { parse } from 'yaml'
import { parseConfig } from '#config/load/load-config.js'
import { systemClock } from '#core/system-clock.js'
import { createStyle } from '#telemetry/log-lines/style.js'
import { MAX_PORT_OFFSET } from '../../src/command-line/commands.js'
import { introduction, pasteSteps } from '../../src/demo/introduction.js'
import { busyDemoPortsText, findBusyDemoPorts } from '../../src/demo/ports.js'
import { ReadyPorts } from '../../src/demo/ready-ports.js'
import { openDemoServer } from '../../src/demo/servers.js'
import { openUdpClient } from '../../src/demo/udp-client.js'
import { anyPorts, configYaml, gameServers, gameServerYaml, portsFrom } from '../../src/demo/world.js'

void t.test('the configuration is one the director accepts, whatever the ports', async t => {
  for (const ports of [anyPorts, portsFrom(0), portsFrom(MAX_PORT_OFFSET)]) {
    const loaded = parseConfig(configYaml(ports), '/somewhere/config.yaml')
    t.ok(loaded.ok, JSON.stringify(loaded))
    if (!loaded.ok) continue
    const { queryPort, adminPort, dataPorts, inventory } = loaded.value.config
    t.same({ query: queryPort, admin: adminPort, data: dataPorts[0]?.port }, ports)
    t.same(inventory, { provider: 'file', path: '/somewhere/inventory' })
  }
  t.same(portsFrom(0), { query: 9000, admin: 9090, data: 7777 })
})

void t.test('game servers are Agones objects', async t => {
  t.same(parse(gameServerYaml(gameServers[0], 5000)), {
    apiVersion: 'agones.dev/v1',
    kind: 'GameServer',
    metadata: { name: 'arena-1', namespace: 'games', labels: { 'agones.dev/fleet': 'arena', map: 'de_dust2' } },
    status: { state: 'Allocated', address: '127.0.0.1', ports: [{ name: 'default', port: 5000 }] }
  })
  t.same(parse(gameServerYaml(gameServers[2], 5000)).metadata.labels, { 'agones.dev/fleet': 'lobby' })
})

void t.test('the introduction has the real ports, and lines that fit a terminal', async t => {
  const ports = portsFrom(100)
  const text = introduction(ports, [1111, 2222, 3333], '/tmp/x/inventory', createStyle(false))
  for (const port of ['127.0.0.1:9100', '127.0.0.1:9190', '127.0.0.1 7877', '127.0.0.1:3333', '/tmp/x/inventory']) t.ok(text.includes(port), port)
  t.notMatch(text, /9000|9090|7777/)
  for (const line of pasteSteps(ports).flatMap(({ commands }) => commands.flatMap(command => command.split('\n')))) {
    t.ok(line.length <= 80, line)
    t.notMatch(line, /#|!/, 'nothing that an interactive shell treats in its own way')
  }
  const widest = introduction(portsFrom(MAX_PORT_OFFSET), [65_535, 65_535, 65_535], '/tmp/udp-director-demo-AbCdEf/inventory', createStyle(false))
  for (const line of widest.split('\n')) t.ok(line.length <= 80, `fits a terminal of 80 columns: ${line}`)
  t.ok(pasteSteps(portsFrom(MAX_PORT_OFFSET)).some(({ commands }) => commands.some(command => command.includes('-p 57777 '))), 'the client port is a port at any offset')
})

void t.test('taken ports are all found and named, with a way out', async t => {
  const tcp = createServer().listen(0, '127.0.0.1')
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  t.teardown(() => { tcp.close(); udp.close() })
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
  const [query, data] = [(tcp.address() as AddressInfo).port, udp.address().port]
  t.same(await findBusyDemoPorts(anyPorts), [])
  t.match(await findBusyDemoPorts({ query, admin: 0, data }), [
    { protocol: 'TCP', port: query, code: 'EADDRINUSE' },
    { protocol: 'UDP', port: data, code: 'EADDRINUSE' }
  ])
  const busy = [{ protocol: 'UDP', port: 7777, code: 'EADDRINUSE' }, { protocol: 'TCP', port: 9000, code: 'EACCES' }] as const
  const text = busyDemoPortsText(busy.map(port => ({ ...port, address: '127.0.0.1', key: 'x' })), 0)
  t.match(text, /^UDP port 7777 is taken by another process\.\nTCP port 9000 cannot be opened \(EACCES\)\.\n/)
  t.match(text, /npm start -- --port-offset 100 /)
  t.match(busyDemoPortsText([], MAX_PORT_OFFSET), new RegExp(`--port-offset ${MAX_PORT_OFFSET - 100} `))
})

void t.test('a game server answers with its name; a client gets answers in order, or none in time', async t => {
  const server = await openDemoServer('arena-1')
  const client = await openUdpClient(server.port, systemClock)
  t.teardown(async () => { client.close(); await server.close() })
  for (const text of ['hello', '', 'grüezi\n']) await client.send(text)
  t.same([await client.receive(2000), await client.receive(2000), await client.receive(2000)], ['arena-1: hello', 'arena-1: ', 'arena-1: grüezi\n'])
  t.equal(await client.receive(1), undefined)
  t.same(server.received, ['hello', '', 'grüezi\n'])
  t.match(client.address, /^127\.0\.0\.1:\d+$/)
})

void t.test('the ports are known when both processes have said theirs', async t => {
  const ready = new ReadyPorts()
  const say = (process: string, msg: string, fields: object): void => {
    ready.read({ stream: 'stdout', text: JSON.stringify({ level: 'info', time: 'now', process, ...fields, msg }) })
  }
  ready.read({ stream: 'stdout', text: 'Proxy listening' })
  say('proxy', 'Proxy listening', { dataPorts: { default: 3 } })
  t.equal(ready.ports, undefined)
  say('control', 'Control listening', { queryPort: 1, adminPort: 2 })
  t.same(ready.ports, { query: 1, admin: 2, data: 3 })
})
