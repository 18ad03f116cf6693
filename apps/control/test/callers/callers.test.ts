import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { createAccessList } from '../../src/callers/access-list.js'
import { callerAt, namedCaller } from '../../src/callers/caller.js'
import { RateStore } from '../../src/callers/rate-store.js'
import { RequestsUnderWay } from '../../src/callers/requests-under-way.js'

void t.test('a caller is its IPv4 address or its IPv6 /64, in any notation', t => {
  const cases: ReadonlyArray<readonly [told: string, ip: string, key: string]> = [
    ['192.0.2.7', '192.0.2.7', 'ip:192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7', 'ip:192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7', 'ip:192.0.2.7'],
    ['2001:DB8:0:1::7', '2001:db8:0:1::7', 'ip:2001:db8:0:1::/64'],
    ['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1:ffff:ffff:ffff:ffff', 'ip:2001:db8:0:1::/64'],
    ['2001:db8:0:2::7', '2001:db8:0:2::7', 'ip:2001:db8:0:2::/64'],
    ['::1', '::1', 'ip:::/64']
  ]
  for (const [told, ip, key] of cases) t.match(callerAt(told, undefined), { ip, key }, told)
  t.match(callerAt('unknown', '198.51.100.1'), { ip: '198.51.100.1' }, 'what a proxy told is no address: the proxy it is')
  t.match(callerAt('fe80::1%eth0', 'fe80::1%eth0'), { ip: 'fe80::1' }, 'a zone is left out')
  t.equal(callerAt('unknown', undefined), undefined)
  const caller = callerAt('192.0.2.7', undefined)!
  t.strictSame(namedCaller(caller, 'matchmaker'), { ...caller, key: 'name:matchmaker' })
  t.end()
})

void t.test('lists: deny wins, allow must have the address if it is given', t => {
  t.equal(createAccessList({}), undefined)
  t.equal(createAccessList({ deny: [] }), undefined)
  const words = (ip: string): ArrayLike<number> => callerAt(ip, undefined)!.words
  const both = createAccessList({ allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.1.0.0/16', '2001:db8:1::/48'] })!
  t.strictSame(['10.0.0.1', '::ffff:10.0.0.1', '10.1.0.1', '11.0.0.1', '2001:db8::1', '2001:db8:1::1', '::1'].map(ip => both(words(ip))), [true, true, false, false, true, false, false])
  const denied = createAccessList({ deny: ['192.0.2.1'] })!
  t.strictSame(['192.0.2.1', '192.0.2.2'].map(ip => denied(words(ip))), [false, true])
  const nobody = createAccessList({ allow: [] })!
  t.equal(nobody(words('10.0.0.1')), false, 'an empty list of those that may call has nobody')
  t.throws(() => createAccessList({ allow: ['nonsense'] }), /nonsense/)
  t.end()
})

void t.test('rates: a window starts with the first request; the table forgets who was quiet for longest', t => {
  const clock = createFakeClock()
  const store = new RateStore(clock, 3)
  const count = (key: string): number[] => {
    let seen: number[] = []
    store.incr(key, (_error, result) => { seen = [result!.current, result!.ttl] }, 1000)
    return seen
  }
  t.strictSame(count('a'), [1, 1000])
  clock.advance(400)
  t.strictSame(count('a'), [2, 600])
  t.strictSame(count('b'), [1, 1000])
  clock.advance(600)
  t.strictSame(count('a'), [1, 1000], 'a new window')
  t.strictSame(count('b'), [2, 400])
  count('c')
  count('a')
  count('d')
  t.equal(store.size, 3)
  t.strictSame([count('a')[0], count('c')[0], count('b')[0]], [3, 2, 1], 'it was b')
  t.equal(store.size, 3)
  t.equal(store.child(), store)
  t.end()
})

void t.test('requests under way: in all, and a quarter for each caller', t => {
  const underWay = new RequestsUnderWay(8)
  t.equal(underWay.maxPerCaller, 2)
  t.strictSame(['a', 'a', 'a', 'b', 'b', 'c', 'c', 'd', 'd', 'e'].map(caller => underWay.enter(caller)), ['admitted', 'admitted', 'caller_full', 'admitted', 'admitted', 'admitted', 'admitted', 'admitted', 'admitted', 'full'])
  t.equal(underWay.count, 8)
  underWay.leave('a')
  t.strictSame([underWay.enter('b'), underWay.enter('e'), underWay.enter('a')], ['caller_full', 'admitted', 'full'])
  for (const caller of ['a', 'b', 'b', 'c', 'c', 'd', 'd', 'e']) underWay.leave(caller)
  t.equal(underWay.count, 0)
  t.equal(underWay.enter('a'), 'admitted')
  t.equal(new RequestsUnderWay(1).maxPerCaller, 1)
  t.end()
})
