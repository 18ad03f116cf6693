// Which addresses get sockets of their own beside one for all, and that nobody can tell the difference.
import { createSocket } from 'node:dgram'
import t from 'tap'
import type { Interfaces } from '#config/own-listeners.js'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { openListeners, type Listener, type ListenerOptions } from '../../src/engines/batch/ports/listeners.js'
import { shortcuts } from '../../src/engines/batch/ports/shortcuts.js'
import { UdpSockets } from '../../src/engines/batch/system/udp-socket.js'
import { dataPortsOf } from '../../src/engines/engine.js'

const pod = hostWith('127.0.0.1', '::1', '10.1.2.3', 'fd00::3', 'fe80::1%eth0')
const onePort = [{ name: 'game', port: 0 }]

function hostWith (...addresses: string[]): Interfaces {
  return { eth0: addresses.map(address => ({ address })) }
}

const manyAddresses = hostWith(...Array.from({ length: 9 }, (_, index) => `10.0.0.${index}`))
const table: ReadonlyArray<readonly [name: string, bindAddresses: readonly string[], interfaces: Interfaces, ports: number, workers: number, expected: readonly string[]]> = [
  ['every address of a pod, but link-local ones', ['::'], pod, 1, 1, ['127.0.0.1', '::1', '10.1.2.3', 'fd00::3']],
  ['IPv4 alone', ['0.0.0.0'], pod, 1, 1, ['127.0.0.1', '10.1.2.3']],
  ['IPv4 beside an address of IPv6', ['0.0.0.0', 'fd00::3'], pod, 1, 1, ['127.0.0.1', '10.1.2.3']],
  ['addresses, and no wildcard', ['10.1.2.3', 'fd00::3'], pod, 1, 1, []],
  ['the same address on two interfaces', ['::'], { a: [{ address: '10.0.0.1' }], b: [{ address: '10.0.0.1' }], c: undefined }, 1, 1, ['10.0.0.1']],
  ['a host with very many addresses', ['::'], manyAddresses, 1, 1, []],
  ['as many sockets as there may be', ['0.0.0.0'], pod, 32, 8, ['127.0.0.1', '10.1.2.3']],
  ['more sockets than there may be', ['0.0.0.0'], pod, 33, 8, []],
  ['a host without addresses', ['::'], {}, 1, 1, []]
]

for (const [name, bindAddresses, interfaces, ports, workers, expected] of table) {
  void t.test(name, async t => {
    const dataPorts = Array.from({ length: ports }, (_, index) => ({ name: `p${index}`, port: 0 }))
    t.strictSame(shortcuts({ bindAddresses, dataPorts, workers, interfaces }), expected)
  })
}

const libc = await openLibc()
const sockets = new UdpSockets(libc)

function open (options: Pick<ListenerOptions, 'workers' | 'interfaces' | 'dataPorts'>): Listener[][] {
  return openListeners({ libc, sockets, bindAddresses: ['0.0.0.0'], receiveBufferBytes: 65_536, sendQueueBytes: 65_536, ...options })
}

for (const workers of [1, 2]) {
  void t.test(`with ${workers} workers`, async t => {
    const interfaces = hostWith('127.0.0.1', '127.0.0.2')
    const byWorker = open({ workers, interfaces, dataPorts: [...onePort, { name: 'voice', port: 0 }] })
    t.teardown(() => { for (const { fd } of byWorker.flat()) sockets.close(fd) })
    for (const listeners of byWorker) {
      t.strictSame(listeners.map(({ dataPort, address }) => [dataPort, address]), [0, 1].flatMap(port => ['0.0.0.0', '127.0.0.1', '127.0.0.2'].map(address => [port, address])))
      t.strictSame(dataPortsOf(listeners).map(({ name, address }) => [name, address]), [['game', '0.0.0.0'], ['voice', '0.0.0.0']], 'what is told is what was asked for')
      t.equal(new Set(listeners.map(({ port }) => port)).size, 2, 'one port each')
    }
    const { port } = byWorker[0]![0]!
    t.throws(() => open({ workers, interfaces, dataPorts: [{ name: 'other', port }] }), { code: 'EADDRINUSE' }, 'a second director is refused')
    for (const address of ['127.0.0.1', '127.0.0.3']) {
      const stranger = createSocket({ type: 'udp4', reuseAddr: false })
      const code = await new Promise(resolve => {
        stranger.once('error', ({ code }: NodeJS.ErrnoException) => { resolve(code) })
        stranger.bind(port, address, () => { resolve('bound') })
      })
      stranger.close()
      t.equal(code, 'EADDRINUSE', `${address} is taken`)
    }
  })

  void t.test(`with ${workers} workers, an address that is not there any more`, async t => {
    const byWorker = open({ workers, interfaces: hostWith('127.0.0.1', '192.0.2.1'), dataPorts: onePort })
    t.teardown(() => { for (const { fd } of byWorker.flat()) sockets.close(fd) })
    t.strictSame(byWorker.flat().map(({ address }) => address), Array.from({ length: workers }, () => '0.0.0.0'), 'the socket for all is enough')
  })
}

void t.test('of one worker nobody can join the port', async t => {
  const [[listener] = []] = open({ workers: 1, interfaces: hostWith('127.0.0.1'), dataPorts: onePort })
  t.teardown(() => { sockets.close(listener!.fd) })
  const fd = sockets.open(listener!.family)
  t.teardown(() => { sockets.close(fd) })
  sockets.sharePort(fd)
  t.throws(() => { sockets.bind(fd, listener!.family, new Uint32Array([0, 0, 0xffff, 0x7f000001]), listener!.port) }, { message: 'bind: EADDRINUSE' })
})
