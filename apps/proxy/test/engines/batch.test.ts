// The batch engine against the suite that every engine passes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Direction } from '../../src/core/counters.js'
import { openLibc } from '../../src/engines/batch/libc.js'
import { conformance, mayBeCut, openRig, settled } from './conformance.js'
import { openBatchHere } from './open-batch-here.js'

conformance(t, openBatchHere)
mayBeCut(t, openBatchHere, await openLibc())

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

void t.test('what the kernel points to stays where it is, whatever the garbage collector does', async t => {
  const { core, port, peer } = await openRig(t, openBatchHere, '127.0.0.1')
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
  const { core, port, peer } = await openRig(t, openBatchHere, '127.0.0.1')
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
