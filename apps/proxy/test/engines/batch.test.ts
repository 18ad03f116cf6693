// What the batch engine does beyond the suite that every engine passes.
import { createSocket } from 'node:dgram'
import { constants } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { hasIPv6 } from '#testkit/udp-peer.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { mayBeCut, openRig, repliesComeFrom, settled } from './conformance.js'
import { heldWhileFull } from './held-conformance.js'
import { openBatchOn, openHere } from './open-here.js'

mayBeCut(t, openHere.batch, await openLibc())

for (const wildcard of ['::', '0.0.0.0']) {
  void t.test(`bound to ${wildcard}, replies come from the address the client sent to`, async t => {
    const addresses = ['127.0.0.1', '127.0.0.2', '127.1.2.3', '127.255.255.254', ...wildcard === '::' && await hasIPv6() ? ['::1'] : []]
    await repliesComeFrom(t, await openRig(t, openHere.batch, wildcard), addresses)
  })

  void t.test(`bound to ${wildcard}, a client that turns to another address gets its replies from there`, async t => {
    const { core, port, peer } = await openRig(t, openHere.batch, wildcard)
    const [server, client, other] = [await peer(), await peer(), await peer()]
    server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    for (const ours of ['127.0.0.2', '127.0.0.3', '127.0.0.2']) {
      await client.send(ours, port(0), ours)
      t.equal((await client.next()).address, ours)
      await other.send('other', port(0), '127.0.0.9')
      t.equal((await other.next()).address, '127.0.0.9', 'another client, at its own address')
    }
  })

  void t.test(`bound to ${wildcard}, what came by broadcast is answered from an address`, async t => {
    const { core, port, peer } = await openRig(t, openHere.batch, wildcard)
    const [server, client] = [await peer(), createSocket('udp4')]
    t.teardown(() => { client.close() })
    server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
    core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
    await new Promise<void>(resolve => { client.bind(0, '127.0.0.1', resolve) })
    client.setBroadcast(true)
    for (const round of [1, 2]) {
      const answer = new Promise<string>(resolve => { client.once('message', (_bytes, { address }) => { resolve(address) }) })
      client.send('anybody?', port(0), '127.255.255.255')
      t.equal(await answer, '127.0.0.1', `round ${round}`)
    }
    t.notOk(core.state.locals.hasAddress(addressWords('127.255.255.255')!), 'the broadcast address is none of ours')
  })
}

void t.test('held while the send queue is full', async t => {
  await heldWhileFull(t, openBatchOn({ ...await openLibc(), sendmmsg: () => -constants.errno.EAGAIN }))
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

void t.test('what the kernel points to stays where it is, whatever the garbage collector does', async t => {
  const { core, port, peer } = await openRig(t, openHere.batch, '127.0.0.1')
  const [server, ...clients] = [await peer(), await peer(), await peer(), await peer()]
  server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  let garbage: unknown[] = []
  for (let round = 0; round < 60; round++) {
    garbage = Array.from({ length: 2000 }, () => new Uint8Array(100).fill(round))
    await Promise.all(clients.map(async (client, index) => { await client.send(Buffer.alloc(1 + round * 20, index), port(0)) }))
    collectGarbage()
  }
  t.equal(garbage.length, 2000)
  for (const [index, client] of clients.entries()) {
    for (let round = 0; round < 60; round++) {
      const { bytes } = await client.next()
      if (!bytes.equals(Buffer.alloc(1 + round * 20, index))) t.fail(`client ${index} got ${bytes.length} other bytes in round ${round}`)
    }
  }
  await settled(core, Direction.toClient, 180)
})

void t.test('a datagram costs no allocation', async t => {
  const { core, port, peer } = await openRig(t, openHere.batch, '127.0.0.1')
  const [server, client] = [await peer(), await peer()]
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  await client.send('first', port(0))
  await settled(core, Direction.toTarget, 1)
  const { packets, state } = core
  const bytes = new Uint8Array(100)
  const source = Uint32Array.from([0, 0, 0xffff, 0x7f000001])
  const pass = (count: number): void => { for (let number = 0; number < count; number++) packets.fromClient(0, source, client.port, bytes, false, 1e9, 20, 60) }
  state.sessions.touch(0, 1e9)
  const growth = (): number => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    pass(200_000)
    return process.memoryUsage().heapUsed - before
  }
  // The compiler allocates, too, when it pleases; what a datagram allocates is there every time.
  const least = Math.min(...Array.from({ length: 5 }, growth))
  t.ok(least < 100_000, `${least} bytes of heap for 200,000 datagrams through the core`)
})
