// What a batch does when the kernel takes only a part of it, or none: no real network says that on demand, so the one
// call is scripted here. Memory and layout are the real ones.
import { constants } from 'node:os'
import t from 'tap'
import { AF_INET, AF_INET6, openLibc, type Libc } from '../../src/engines/batch/libc.js'
import { ReceiveRing } from '../../src/engines/batch/receive-ring.js'
import { SendQueue, type Outlet } from '../../src/engines/batch/send-queue.js'

const { EAGAIN, ECONNREFUSED, EINTR, EMSGSIZE, ENOBUFS, EPERM } = constants.errno
const real = await openLibc()

interface Call { readonly fd: number, readonly count: number }

function setUp (answers: readonly number[]) {
  const calls: Call[] = []
  const left = [...answers]
  const libc: Libc = {
    ...real,
    sendmmsg: (fd, _headers, count) => {
      calls.push({ fd, count })
      return left.shift() ?? count
    }
  }
  const ring = new ReceiveRing(libc, 16)
  const fates: string[] = []
  const queue = new SendQueue(libc, ring, (fate, tag) => { fates.push(`${tag} ${fate}`) })
  return { calls, ring, queue, fates }
}

const outlet = (id: number): Outlet => ({ id, fd: 100 + id, family: id % 2 === 0 ? AF_INET : AF_INET6 })
const address = Uint32Array.from([0, 0, 0xffff, 0x0a000001])

void t.test('one call for each socket, in the order of their first datagrams; each datagram with its fate', async t => {
  const { queue, calls, fates } = setUp([])
  for (const [slot, id] of [3, 1, 3, 3, 1].entries()) queue.add(slot, outlet(id), address, 7000, slot)
  queue.flush()
  t.same(calls, [{ fd: 103, count: 3 }, { fd: 101, count: 2 }])
  t.same(fates, ['0 sent', '2 sent', '3 sent', '1 sent', '4 sent'])
  queue.flush()
  t.equal(calls.length, 2, 'an empty queue asks nothing')
  queue.add(7, outlet(1), address, 7000, 7)
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
    for (let slot = 0; slot < 4; slot++) queue.add(slot, outlet(2), address, 7000, slot)
    queue.flush()
    t.same(fates, expected)
  })
}
