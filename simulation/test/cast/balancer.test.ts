import t from 'tap'
import { addresses } from '../../cast/address-book.js'
import { Balancer, type BalancerProfile } from '../../cast/balancer.js'
import { Random } from '../../basics/random.js'
import { VirtualTime } from '../../basics/virtual-time.js'

const flows = addresses.flatMap(address => [0, 1].map(dataPort => ({ address, dataPort })))

function balancerOf (profile: Partial<BalancerProfile>): { balancer: Balancer, time: VirtualTime, picks: () => Array<number | undefined> } {
  const time = new VirtualTime()
  const balancer = new Balancer({ picks: 'highest', remembersMs: 0, isByClient: false, ...profile }, new Random(1), time)
  for (const member of [1, 2, 3]) balancer.add(member)
  return { balancer, time, picks: () => flows.map(({ address, dataPort }) => balancer.pick(address, dataPort)) }
}

function moved (before: ReadonlyArray<number | undefined>, after: ReadonlyArray<number | undefined>): number {
  return before.filter((member, index) => member !== after[index]).length
}

void t.test('a hash says the same until somebody comes or goes, and then as much as it can', t => {
  for (const picks of ['highest', 'modulo'] as const) {
    const { balancer, picks: pick } = balancerOf({ picks })
    const before = pick()
    t.same(new Set(before), new Set([1, 2, 3]))
    t.same(pick(), before)
    balancer.remove(2)
    const ofOthers = moved(before, pick()) - before.filter(member => member === 2).length
    if (picks === 'highest') t.equal(ofOthers, 0, 'only those of the one that went move')
    else t.ok(ofOthers > 20, 'a third of the others move, too')
    balancer.rehash()
    t.ok(moved(before, pick()) > 60)
  }
  t.end()
})

void t.test('a flow stays where it went as long as it is remembered', async t => {
  const { balancer, time, picks } = balancerOf({ picks: 'random', remembersMs: 1000 })
  const before = picks()
  balancer.rehash()
  balancer.drain(3)
  await time.advance(1000)
  t.same(picks(), before, 'also at one that leaves')
  balancer.remove(3)
  t.equal(moved(before, picks()), before.filter(member => member === 3).length)
  await time.advance(1001)
  t.ok(moved(before, picks()) > 60, 'it was silent for too long')
  const again = picks()
  balancer.forget()
  t.ok(moved(again, picks()) > 40)
})

void t.test('data ports are flows of their own, or all of a client are one', t => {
  const parted = addresses.filter(address => {
    const { balancer } = balancerOf({})
    return balancer.pick(address, 0) !== balancer.pick(address, 1)
  })
  t.ok(parted.length > 30)
  const { balancer } = balancerOf({ isByClient: true })
  t.ok(addresses.every(address => balancer.pick(address, 0) === balancer.pick(address, 1)))
  t.end()
})

void t.test('with all that leave, somebody still gets it; with nobody, nobody', t => {
  const { balancer } = balancerOf({})
  for (const member of [1, 2, 3]) balancer.drain(member)
  t.ok([1, 2, 3].includes(balancer.pick(addresses[0]!, 0)!))
  for (const member of [1, 2, 3]) balancer.remove(member)
  t.equal(balancer.pick(addresses[0]!, 0), undefined)
  t.end()
})
