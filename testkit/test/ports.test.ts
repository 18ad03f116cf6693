// Ports that nobody gets who does not ask for them.
import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import t from 'tap'
import { forTest } from '../for-test.js'
import { claimPort, claimPorts } from '../ports.js'
import { runProgram } from '../processes/run-program.js'
import { openUdpPeer, openUdpSocket } from '../udp-peer.js'

const skip = platform() === 'linux' ? false : 'the range is known on Linux only'

void t.test('sockets and claimed ports are below what the system chooses from', { skip }, async t => {
  const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  for (const { port } of [await claimPort(), await forTest(t, openUdpPeer()), await forTest(t, openUdpPeer(6).catch(async () => await openUdpPeer()))]) t.ok(port < first, String(port))
})

void t.test('a claimed port is nobody else\'s, in this process and in others, until it is released', { skip }, async t => {
  // One number is left to choose: whoever claims gets that or nothing.
  const random = Math.random
  t.teardown(() => { Math.random = random })
  const { port, release } = await claimPort()
  Math.random = () => (port - 10_000) / 19_000 + 1e-9
  const claiming = 'const { claimPort } = await import(process.argv[1]); Math.random = () => Number(process.argv[2]); await claimPort(); console.log("claimed")'
  const elsewhere = async () => await runProgram('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '--eval', claiming, new URL('../ports.js', import.meta.url).href, String(Math.random())])
  await t.rejects(claimPort(), /no ports are free/)
  t.match(await elsewhere(), { code: 1, stderr: /no ports are free/ })
  release()
  t.match(await elsewhere(), { code: 0, stdout: 'claimed\n' })
})

void t.test('ports at distances are claimed together, and one that somebody has is not among them', async t => {
  const socket = await forTest(t, openUdpSocket('127.0.0.1'))
  const { ports, release } = await claimPorts([0, 90, 1223])
  t.same(ports.map(port => port - ports[0]!), [0, 90, 1223])
  t.notOk(ports.includes(socket.address().port))
  release()
})
