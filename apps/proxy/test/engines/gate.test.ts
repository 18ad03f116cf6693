// A shut gate, in the kernel that runs the test: nothing comes in, what comes is counted, and it opens again.
import t from 'tap'
import { openUdpPeer } from '#testkit/udp-peer.js'
import { addressWords } from '#wire/address.js'
import { openGate, shutGate } from '../../src/engines/batch/ports/gate.js'
import { AF_INET, openLibc } from '../../src/engines/batch/system/libc.js'
import { ReceiveRing } from '../../src/engines/batch/receive-ring.js'
import { UdpSockets } from '../../src/engines/batch/system/udp-socket.js'

void t.test('nothing comes through a shut gate, and everything through one that is open again', async t => {
  const libc = await openLibc()
  const sockets = new UdpSockets(libc)
  const ring = new ReceiveRing(libc, 8)
  const client = await openUdpPeer()
  t.teardown(client.close)
  const fd = sockets.open(AF_INET)
  t.teardown(() => { sockets.close(fd) })
  t.equal(shutGate(libc, fd), 0)
  sockets.bind(fd, AF_INET, addressWords('127.0.0.1')!, 0)
  for (const text of ['one', 'two', 'three']) await client.send(text, sockets.port(fd))
  t.ok(ring.receive(fd, 8) < 0, 'EAGAIN')
  t.equal(sockets.receiveDrops(fd), 3, 'the kernel counts them')
  t.equal(openGate(libc, fd), 0)
  await client.send('four', sockets.port(fd))
  t.equal(ring.receive(fd, 8), 1)
  t.equal(Buffer.from(ring.data.bytes.subarray(ring.start(0), ring.start(0) + ring.length(0))).toString(), 'four')
})
