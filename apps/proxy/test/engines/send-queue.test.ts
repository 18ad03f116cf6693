// What a batch does when the kernel takes only a part of it, or none: no real network says that on demand, so the one
// call is scripted here. Memory and layout are the real ones.
import { constants } from 'node:os'
import t from 'tap'
import { LocalAddresses } from '../../src/core/datagrams/local-addresses.js'
import { AF_INET, AF_INET6, openLibc, type Libc } from '../../src/engines/batch/system/libc.js'
import { Memory } from '../../src/engines/batch/system/memory.js'
import { SendQueue, type Outlet, type Slots } from '../../src/engines/batch/send-queue.js'

const { EAGAIN, ECONNREFUSED, EINTR, EMSGSIZE, ENOBUFS, EPERM } = constants.errno
const real = await openLibc()

interface Call { readonly fd: number, readonly count: number }

/** @param lengths of the datagrams, by slot; by default each has another, so that none goes with its neighbour */
function setUp (answers: readonly number[], lengths: readonly number[] = Array.from({ length: 16 }, (_, slot) => 100 + slot)) {
  const calls: Call[] = []
  const left = [...answers]
  const libc: Libc = {
    ...real,
    sendmmsg: (fd, _headers, count) => {
      calls.push({ fd, count })
      return left.shift() ?? count
    }
  }
  const data = new Memory(libc, 16 * 128)
  const ring: Slots = { capacity: 16, length: slot => lengths[slot]!, pointer: slot => data.address + slot * 128 }
  const fates: string[] = []
  const queue = new SendQueue(libc, ring, new LocalAddresses(0), (fate, tag) => { fates.push(`${tag} ${fate}`) })
  return { calls, queue, fates }
}

const outlet = (id: number): Outlet => ({ id, fd: 100 + id, family: id % 2 === 0 ? AF_INET : AF_INET6 })
const address = Uint32Array.from([0, 0, 0xffff, 0x0a000001])

void t.test('one call for each socket, in the order of their first datagrams; each datagram with its fate', async t => {
  const { queue, calls, fates } = setUp([])
  for (const [slot, id] of [3, 1, 3, 3, 1].entries()) queue.add(slot, outlet(id), address, 7000, 0, 0, slot)
  queue.flush()
  t.same(calls, [{ fd: 103, count: 3 }, { fd: 101, count: 2 }])
  t.same(fates, ['0 sent', '2 sent', '3 sent', '1 sent', '4 sent'])
  queue.flush()
  t.equal(calls.length, 2, 'an empty queue asks nothing')
  queue.add(7, outlet(1), address, 7000, 0, 0, 7)
  queue.flush()
  t.same(calls.at(-1), { fd: 101, count: 1 })
})

for (const [what, answers, expected] of [
  ['a part is taken, then the rest', [2, 2], ['0 sent', '1 sent', '2 sent', '3 sent']],
  ['the kernel is full: the rest is dropped', [1, -EAGAIN], ['0 sent', '1 queue_full', '2 queue_full', '3 queue_full']],
  ['out of memory is full too', [-ENOBUFS], ['0 queue_full', '1 queue_full', '2 queue_full', '3 queue_full']],
  ['one is too long, the others leave', [1, -EMSGSIZE], ['0 sent', '1 too_long', '2 sent', '3 sent']],
  ['one is forbidden', [-EPERM, 1, -EPERM], ['0 failed', '1 sent', '2 failed', '3 sent']],
  ['an interruption and an old ICMP error are tried again', [-EINTR, 3, -ECONNREFUSED, 1], ['0 sent', '1 sent', '2 sent', '3 sent']]
] as const) {
  void t.test(what, async t => {
    const { queue, fates } = setUp(answers)
    for (let slot = 0; slot < 4; slot++) queue.add(slot, outlet(2), address, 7000, 0, 0, slot)
    queue.flush()
    t.same(fates, expected)
  })
}

void t.test('neighbours with one address and one length leave as one, the last of them may be shorter', async t => {
  const { queue, calls, fates } = setUp([], [100, 100, 100, 40, 100, 100, 0, 0, 100, 120])
  const other = Uint32Array.from([0, 0, 0xffff, 0x0a000002])
  for (let slot = 0; slot < 10; slot++) queue.add(slot, outlet(slot === 8 ? 4 : 2), slot === 5 ? other : address, 7000, 0, 0, slot)
  queue.flush()
  // 0–3; 4; 5, which goes elsewhere; 6 and 7, which are empty; 9, after one that left by another socket. And 8.
  t.same(calls, [{ fd: 102, count: 6 }, { fd: 104, count: 1 }])
  t.same(fates, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8].map(slot => `${slot} sent`))
})

void t.test('what cannot leave as one leaves one by one: for want of MTU this time, for want of a device that can from now on', async t => {
  const lengths = Array<number>(16).fill(1000)
  const add = (queue: SendQueue, id = 2): void => { for (let slot = 0; slot < 4; slot++) queue.add(slot, outlet(id), address, 7000, 0, 0, slot) }
  const short = setUp([-constants.errno.EINVAL, 2, -EMSGSIZE], lengths)
  add(short.queue)
  short.queue.flush()
  t.same(short.fates, ['0 sent', '1 sent', '2 too_long', '3 sent'])
  add(short.queue)
  short.queue.flush()
  t.equal(short.calls.at(-1)!.count, 1, 'tried as one again: another address may have a longer MTU')
  const unable = setUp([-constants.errno.EIO], lengths)
  add(unable.queue, 3)
  unable.queue.flush()
  t.same(unable.fates, ['0 sent', '1 sent', '2 sent', '3 sent'])
  add(unable.queue, 3)
  unable.queue.flush()
  t.equal(unable.calls.at(-1)!.count, 4)
})

void t.test('no more than the kernel takes in one: 64 datagrams, 65,000 bytes', async t => {
  const many = setUp([], Array<number>(16).fill(9000))
  for (let slot = 0; slot < 16; slot++) many.queue.add(slot, outlet(2), address, 7000, 0, 0, slot)
  many.queue.flush()
  t.same(many.calls, [{ fd: 102, count: 3 }], '7, 7 and 2')
  t.equal(many.fates.length, 16)
})
