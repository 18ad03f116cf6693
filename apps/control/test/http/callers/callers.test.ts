import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { createAccessList } from '../../../src/http/guards/access.js'
import { callerOf, namedCaller, type Caller, type Trust } from '../../../src/http/callers/caller.js'
import { hostFrom, isLocalName, isSameOrigin, namesFrom } from '../../../src/http/callers/hosts.js'
import { Turns, MAX_JOBS } from '../../../src/query/turns.js'
import { WorkBudget } from '../../../src/query/work-budget.js'
import { RateStore } from '../../../src/http/callers/rate-store.js'
import { addressBlock } from '#wire/address-block.js'

const proxies = ['10.0.0.0/8', '2001:db8:ffff::/48'].map(text => addressBlock(text)!)

function trust (header: Trust['header'] = 'x-forwarded-for'): Trust {
  return { header, isTrusted: words => proxies.some(contains => contains(words)) }
}

function callerAt (peer: string): Caller {
  return callerOf(peer, {}, trust()) as Caller
}

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
  for (const [told, ip, key] of cases) t.match(callerAt(told), { ip, key }, told)
  t.match(callerAt('fe80::1%eth0'), { ip: 'fe80::1' }, 'a zone is left out')
  t.equal(callerOf(undefined, {}, trust()), undefined)
  t.equal(callerOf('unknown', {}, trust()), undefined)
  const caller = callerAt('192.0.2.7')
  t.strictSame(namedCaller(caller, 'matchmaker'), { ...caller, key: 'name:matchmaker' })
  t.end()
})

void t.test('lists: deny wins, allow must have the address if it is given', t => {
  t.equal(createAccessList({}), undefined)
  t.equal(createAccessList({ deny: [] }), undefined)
  const words = (ip: string): ArrayLike<number> => callerAt(ip).words
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

void t.test('behind proxies: every form that proxies write, or nobody', t => {
  const told = (header: Trust['header'], value: string, peer = '10.0.0.1'): unknown => {
    const caller = callerOf(peer, { [header]: value }, trust(header))
    return typeof caller === 'object' ? caller.ip : caller
  }
  const forwardedFor: ReadonlyArray<readonly [value: string, caller: string]> = [
    ['', '10.0.0.1'],
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:443', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:1', '203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['"203.0.113.7"', '203.0.113.7'],
    ['198.51.100.1,203.0.113.7:1 ,  10.0.0.9:80', '203.0.113.7'],
    ['203.0.113.7, , 10.0.0.9,', '203.0.113.7'],
    ['10.0.0.7, 10.0.0.8', '10.0.0.7'],
    [',', 'unclear'],
    ['"", ,', 'unclear'],
    ['unknown', 'unclear'],
    ['203.0.113.7, unknown', 'unclear'],
    ['203.0.113.7, 10.0.0.9, example.com', 'unclear'],
    ['203.0.113.7:99999999', 'unclear'],
    ['203.0.113.7/32', 'unclear'],
    ['203.0.113', 'unclear'],
    ['[203.0.113.7', 'unclear'],
    ['10.0.0.2,'.repeat(40), 'unclear']
  ]
  for (const [value, caller] of forwardedFor) t.equal(told('x-forwarded-for', value), caller, `X-Forwarded-For: ${value}`)
  t.equal(told('x-forwarded-for', '203.0.113.7', '198.51.100.1'), '198.51.100.1', 'of who is not trusted')
  const forwarded: ReadonlyArray<readonly [value: string, caller: string]> = [
    ['for=203.0.113.7', '203.0.113.7'],
    ['For="203.0.113.7:4711";proto=https;by=10.0.0.3', '203.0.113.7'],
    ['for="[2001:db8::7]:4711"', '2001:db8::7'],
    ['for=198.51.100.1, for=203.0.113.7 ;host="a\\"b, c" , for=10.0.0.9', '203.0.113.7'],
    ['for=203.0.113.7, proto=http', 'unclear'],
    ['for=_hidden', 'unclear'],
    ['for=unknown', 'unclear'],
    ['for=203.0.113.7;for=198.51.100.1', 'unclear'],
    ['for=', 'unclear'],
    ['for="203.0.113.7', 'unclear'],
    ['203.0.113.7', 'unclear']
  ]
  for (const [value, caller] of forwarded) t.equal(told('forwarded', value), caller, `Forwarded: ${value}`)
  t.equal(callerOf('10.0.0.1', { forwarded: 'for=203.0.113.7' }, trust()), 'unclear', 'a proxy that writes the other header')
  for (const header of ['x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-envoy-external-address', 'x-client-ip']) {
    t.equal(callerOf('10.0.0.1', { [header]: '203.0.113.7' }, trust()), 'unclear', `a proxy that writes ${header}`)
    t.match(callerOf('10.0.0.1', { [header]: '198.51.100.1', 'x-forwarded-for': '203.0.113.7' }, trust()), { ip: '203.0.113.7' }, 'and the right one as well')
    t.match(callerOf('203.0.113.7', { [header]: '198.51.100.1' }, trust()), { ip: '203.0.113.7' }, 'of who is not trusted')
  }
  t.end()
})

void t.test('names: addresses and names of nobody else are always ours', t => {
  const local = (text: string): boolean => isLocalName(hostFrom(text)?.name ?? 'no.host')
  for (const text of ['127.0.0.1', '192.0.2.1:9090', '[::1]:9090', '[fe80::1%25eth0]', 'localhost', 'LOCALHOST:1', 'director', 'a.localhost', 'director.games.svc', 'director.games.svc.cluster.local.:9090', 'node.internal']) t.ok(local(text), text)
  for (const text of ['example.com', 'evil.svc.example.com', '1.2.3.4.nip.io', 'a b', '', ':80', 'a/b', '[::1', '[nonsense]', 'user@localhost', '999.1.1.1']) t.notOk(local(text), text)
  const isOurs = namesFrom(['Director.example.com.', '*.games.example'])
  t.strictSame(['director.example.com', 'a.games.example', 'a.b.games.example', 'games.example', 'example.com', 'evildirector.example.com'].map(isOurs), [true, true, true, false, false, false])
  const host = hostFrom('director.example.com:9090')!
  t.strictSame(['http://director.example.com:9090', 'https://director.example.com:9090', 'http://director.example.com', 'http://example.com:9090', 'null', '', 'file://'].map(origin => isSameOrigin(origin, host)), [true, true, false, false, false, false, false])
  t.ok(isSameOrigin('https://director', hostFrom('director')!))
  t.end()
})

void t.test('work: so much of each caller in a second', t => {
  const clock = createFakeClock()
  const budget = new WorkBudget(clock, 100, 2)
  budget.spend('a', 99)
  t.notOk(budget.isSpent('a'))
  budget.spend('a', 5)
  t.ok(budget.isSpent('a'))
  t.notOk(budget.isSpent('b'))
  clock.advance(1000)
  t.notOk(budget.isSpent('a'))
  for (const caller of ['a', 'b', 'c']) budget.spend(caller, 200)
  t.strictSame(['a', 'b', 'c'].map(caller => budget.isSpent(caller)), [false, true, true], 'who was quiet for longest is forgotten')
  t.equal(budget.size, 2)
  const none = new WorkBudget(clock, 0, 2)
  none.spend('a', 1e9)
  t.notOk(none.isSpent('a'))
  t.end()
})

void t.test('turns: callers take turns, and of one caller one job runs at a time', async t => {
  const turns = new Turns(run => { setImmediate(run) })
  const order: string[] = []
  await Promise.all(['a', 'a', 'b'].map(async (caller, number) => {
    const job = turns.enter(caller)!
    for (let piece = 0; piece < 2; piece++) {
      await job.turn()
      order.push(`${caller}${number}`)
    }
    job.leave()
  }))
  t.strictSame(order, ['a0', 'b2', 'a0', 'b2', 'a1', 'a1'])
  t.equal(turns.jobs, 0)
  const jobs = Array.from({ length: MAX_JOBS }, () => turns.enter('a'))
  t.equal(turns.enter('b'), undefined, 'there are too many')
  jobs[5]!.leave()
  jobs[5]!.leave()
  t.equal(turns.jobs, MAX_JOBS - 1, 'more than once does no harm')
})
