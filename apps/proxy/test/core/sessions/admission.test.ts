// Who may have a session, who gives way, and what an unproven client can be sent.
import t from 'tap'
import fc from 'fast-check'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../../src/core/core.js'
import { EndCause } from '../../../src/core/ledger/counters.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import type { CoreLimits } from '../../../src/core/sessions/options.js'
import type { CoreOptions } from '../../../src/core/datagrams/options.js'
import { CONSUMED, FORWARD, type Verdict } from '../../../src/core/datagrams/packet-path.js'
import { PrefixGuard, Standing } from '../../../src/core/sessions/prefix-guard.js'
import { SlotList } from '../../../src/core/tables/slot-list.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'

class Rig {
  readonly core: Core
  now = 1000
  readonly #name = { token: 0 }

  constructor (limits: Partial<CoreLimits> = {}, options: Partial<CoreOptions> = {}) {
    this.core = createCore(testOptions({ limits, ...options }), silentObserver)
    this.core.operations.setDefaultTargets([servers.D])
  }

  data (from: string, port: number, bytes = 4, dataPort = 0): Verdict {
    return this.core.packets.fromClient(dataPort, addressWords(from)!, port, new Uint8Array(bytes), false, this.now)
  }

  /** Presents a fresh token, or the one named. */
  token (from: string, port: number, name = this.grant()): Verdict {
    return this.core.packets.fromClient(0, addressWords(from)!, port, bytesOf({ control: name }), false, this.now)
  }

  grant (name = `t${this.#name.token++}`, target = servers.A): string {
    this.core.operations.grant({ token: tokenOf(name), target, ttlMs: 600_000, consumed: 0 }, this.now)
    return name
  }

  /** The target answers what was last sent. */
  reply (bytes: number): Verdict {
    const { flows } = this.core.state
    const { words, port } = flows.endpoint(this.core.packets.flow)
    return this.core.packets.fromTarget(flows.socket(this.core.packets.flow), words, port, bytes, false, this.now)
  }

  ended (cause: EndCause): number {
    return this.core.state.counters.sessionsEnded[cause]!
  }
}

void t.test('a prefix has so many sessions and no more, those with a token apart from those without', async t => {
  for (const [own, alsoOwn, other] of [['192.0.2.7', '::ffff:192.0.2.7', '192.0.2.8'], ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:2::1']] as const) {
    const rig = new Rig({ maxSessionsPerPrefix: 2 })
    t.equal(rig.data(own, 2001), FORWARD)
    t.equal(rig.data(alsoOwn, 2002), FORWARD)
    t.equal(rig.data(own, 2003), DropReason.prefixLimit)
    t.equal(rig.data(other, 2003), FORWARD, 'another prefix has its own')
    const tokens = [rig.grant(), rig.grant(), rig.grant()]
    t.equal(rig.token(own, 2004, tokens[0]), CONSUMED, 'what came without a token takes nothing from tokens')
    t.equal(rig.token(own, 2005, tokens[1]), CONSUMED)
    t.equal(rig.token(own, 2006, tokens[2]), DropReason.prefixLimit)
    t.equal(rig.token(own, 2001, tokens[2]), DropReason.prefixLimit, 'nor does a session without a token become one with')
    t.equal(rig.core.operations.targetOf(0).key, 'D', 'it stays where it was')
    t.equal(rig.data(own, 2001), FORWARD, 'established sessions go on')
    t.equal(rig.token(own, 2004), CONSUMED, 'one that has redeemed may redeem again')
    t.equal(rig.token(other, 2006, tokens[2]), CONSUMED, 'the refused token stayed live')
    for (let slot = 0; slot < rig.core.state.sessions.highWater; slot++) rig.core.operations.endSession(slot, rig.now)
    t.equal(rig.data(own, 2003), FORWARD, 'sessions that ended count no more')
    t.equal(rig.token(own, 2006), CONSUMED)
  }
})

void t.test('a session that redeems a token is counted with the others from then on', async t => {
  const rig = new Rig({ maxSessionsPerPrefix: 1 })
  t.equal(rig.data('192.0.2.7', 2001), FORWARD)
  t.equal(rig.core.state.admission.defaultSessions, 1)
  t.equal(rig.token('192.0.2.7', 2001), CONSUMED)
  t.equal(rig.core.state.admission.defaultSessions, 0)
  t.equal(rig.data('192.0.2.7', 2002), FORWARD, 'it has left room among those without a token')
  t.equal(rig.token('192.0.2.7', 2003), DropReason.prefixLimit, 'and takes room among those with one')
})

void t.test('new default-endpoint sessions of a prefix are limited in rate, and nothing else is', async t => {
  const rig = new Rig({ newSessionsPerSecond: 4 })
  const open = (count: number, from = '192.0.2.7'): Verdict[] => Array.from({ length: count }, () => rig.data(from, next++))
  let next = 2000
  t.same(open(5), [FORWARD, FORWARD, FORWARD, FORWARD, DropReason.rateLimit], 'a second\'s worth at once')
  t.same(open(1, '192.0.2.8'), [FORWARD], 'another prefix has its own')
  t.equal(rig.token('192.0.2.7', 3000), CONSUMED, 'a token is not limited')
  t.equal(rig.data('192.0.2.7', 2000), FORWARD, 'an established session neither')
  rig.now += 249
  t.same(open(1), [DropReason.rateLimit])
  rig.now += 1
  t.same(open(2), [FORWARD, DropReason.rateLimit], 'one more a quarter of a second later')
  rig.now += 60_000
  t.same(open(5), [FORWARD, FORWARD, FORWARD, FORWARD, DropReason.rateLimit], 'what was not used is not saved up')
})

void t.test('over any second a prefix opens at most twice its rate, and over long times its rate', async () => {
  fc.assert(fc.property(fc.constantFrom(1, 3, 7, 100, 0.125), fc.array(fc.nat(400), { minLength: 50, maxLength: 300 }), (rate, pauses) => {
    const guard = new PrefixGuard({ maxSessionsPerPrefix: 1, newSessionsPerSecond: rate }, 1)
    const client = addressWords('192.0.2.7')!
    let now = 5
    const admitted: number[] = []
    for (const pause of pauses) {
      now += pause
      if (guard.takeNew(client, now)) admitted.push(now)
    }
    return admitted.length > 0 && admitted.every((from, index) => admitted.slice(index).every((until, further) => further + 1 <= Math.max(1, rate) + (until - from) * rate / 1000 + 1e-6))
  }))
})

void t.test('the sketch of prefixes never counts less than there are, and hardly ever more', async t => {
  const guard = new PrefixGuard({ maxSessionsPerPrefix: 4, newSessionsPerSecond: 0 }, 12_345)
  const crowd = Array.from({ length: 20_000 }, (_, number) => new Uint32Array([0, 0, 0xffff, 0x0a00_0000 + number * 7]))
  for (const client of crowd) guard.add(client, Standing.default)
  const victims = Array.from({ length: 2000 }, (_, number) => new Uint32Array([0x2001_0db8, number, 0, 1]))
  let refused = 0
  for (const client of victims) {
    for (let session = 0; session < 4; session++) {
      if (!guard.hasRoom(client, Standing.default)) refused++
      guard.add(client, Standing.default)
    }
    if (guard.hasRoom(client, Standing.default)) throw new Error('one more than allowed')
    if (!guard.hasRoom(client, Standing.token)) throw new Error('the standings are mixed up')
    for (let session = 0; session < 4; session++) guard.remove(client, Standing.default)
  }
  t.ok(refused < victims.length * 4 * 0.02, `${refused} of ${victims.length * 4} refused for others' sessions`)
  for (const client of crowd) guard.remove(client, Standing.default)
  for (const client of [...crowd, ...victims]) {
    for (let session = 0; session < 4; session++) guard.add(client, Standing.default)
    for (let session = 0; session < 4; session++) guard.remove(client, Standing.default)
  }
  t.ok(crowd.every(client => guard.hasRoom(client, Standing.default)), 'all that was counted is taken back')
})

void t.test('at the bound a token takes the place of the default-endpoint session that is idle for longest', async t => {
  const rig = new Rig({ maxSessions: 3 })
  for (const port of [2001, 2002, 2003]) {
    rig.now++
    t.equal(rig.data('192.0.2.7', port), FORWARD)
  }
  rig.data('192.0.2.7', 2001)
  t.equal(rig.data('192.0.2.8', 2004), DropReason.sessionLimit, 'without a token nobody gives way')
  t.equal(rig.token('192.0.2.8', 2005), CONSUMED)
  const clients = (): number[] => [0, 1, 2].map(slot => rig.core.state.sessions.clientPort(slot)).sort()
  t.same(clients(), [2001, 2003, 2005], 'the second one was silent for longest')
  t.equal(rig.ended(EndCause.evicted), 1)
  t.equal(rig.token('192.0.2.8', 2006), CONSUMED)
  t.equal(rig.token('192.0.2.8', 2007), CONSUMED)
  t.same(clients(), [2005, 2006, 2007])
  const late = rig.grant()
  t.equal(rig.token('192.0.2.8', 2008, late), DropReason.sessionLimit, 'tokens do not give way to tokens')
  t.equal(rig.ended(EndCause.evicted), 3)
  rig.core.operations.endSession(0, rig.now)
  t.equal(rig.token('192.0.2.8', 2008, late), CONSUMED, 'the refused token stayed live')
})

void t.test('a session whose time is over gives way as timed out, and one an operator moved gives way still', async t => {
  const rig = new Rig({ maxSessions: 1 }, { sessionTimeoutMs: 10_000 })
  rig.data('192.0.2.7', 2001)
  rig.now += 10_001
  t.equal(rig.token('192.0.2.8', 2002), CONSUMED)
  t.same([rig.ended(EndCause.timeout), rig.ended(EndCause.evicted)], [1, 0])
  rig.core.operations.endSession(0, rig.now)
  rig.data('192.0.2.7', 2001)
  rig.core.operations.moveSession(0, servers.B, rig.now)
  t.equal(rig.token('192.0.2.8', 2003), CONSUMED)
  t.equal(rig.ended(EndCause.evicted), 1)
  rig.core.operations.moveSession(0, servers.B, rig.now)
  t.equal(rig.token('192.0.2.8', 2004), DropReason.sessionLimit, 'one with a token that was moved does not')
})

void t.test('the search for who gives way is bounded and takes its turns', async t => {
  const list = new SlotList(1000)
  t.equal(list.smallestOf(64, () => 0), -1, 'nobody')
  for (let slot = 0; slot < 1000; slot++) list.add(slot)
  const looked: number[] = []
  const value = (slot: number): number => { looked.push(slot); return 1000 - slot }
  t.equal(list.smallestOf(64, value), 63)
  t.equal(list.smallestOf(64, value), 127)
  t.same(looked, Array.from({ length: 128 }, (_, slot) => slot))
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(19), fc.boolean()), { maxLength: 200 }), steps => {
    const tested = new SlotList(20)
    const truth = new Set<number>()
    for (const [slot, isPick] of steps) {
      if (isPick) {
        const picked = tested.smallestOf(20, candidate => -candidate)
        if (picked !== (truth.size === 0 ? -1 : Math.max(...truth))) return false
      } else if (truth.delete(slot)) tested.remove(slot)
      else {
        truth.add(slot)
        tested.add(slot)
      }
      if (tested.size !== truth.size) return false
    }
    return true
  }))
})

void t.test('the last eighth of the sockets towards a target, and of the flows, is for tokens', async t => {
  const rig = new Rig({ maxUpstreamSockets: 16 })
  for (let port = 2001; port <= 2014; port++) t.equal(rig.data('192.0.2.7', port), FORWARD)
  t.equal(rig.data('192.0.2.7', 2015), DropReason.upstreamLimit)
  for (const port of [2016, 2017]) {
    t.equal(rig.token('192.0.2.7', port, rig.grant(`d${port}`, servers.D)), CONSUMED)
    t.equal(rig.data('192.0.2.7', port), FORWARD, 'for a token of that target there is one left')
  }
  t.equal(rig.token('192.0.2.7', 2018, rig.grant('last', servers.D)), CONSUMED)
  t.equal(rig.data('192.0.2.7', 2018), DropReason.upstreamLimit, 'until these are used up as well')

  // 8 sessions on 2 data ports: 32 flows, of which lingering ones fill what they can.
  const many = new Rig({ maxSessions: 8, maxUpstreamSockets: 1000 })
  let opened = 0
  for (let port = 2001; many.data('192.0.2.7', port) === FORWARD; port++) {
    many.core.operations.endSession(0, many.now)
    opened++
  }
  t.equal(opened, 28)
  t.equal(many.token('192.0.2.7', 3000), CONSUMED)
  t.equal(many.data('192.0.2.7', 3000), FORWARD)
})

void t.test('a first datagram without a token makes the target send so much and no more', async t => {
  const rig = new Rig({ amplificationFactor: 3 })
  t.equal(rig.data('192.0.2.7', 2001, 100), FORWARD)
  t.equal(rig.reply(200), FORWARD)
  t.equal(rig.reply(101), DropReason.amplification)
  t.equal(rig.reply(100), FORWARD, 'what fits still passes')
  t.equal(rig.reply(1), DropReason.amplification)
  t.equal(rig.reply(0), FORWARD)
  t.equal(rig.data('192.0.2.7', 2001, 0), FORWARD)
  t.equal(rig.reply(60_000), FORWARD, 'the client has spoken again')
  t.equal(rig.data('192.0.2.7', 2002, 0), FORWARD)
  t.equal(rig.reply(1), DropReason.amplification, 'of nothing three times is nothing')
  t.equal(rig.token('192.0.2.7', 2003), CONSUMED)
  t.equal(rig.data('192.0.2.7', 2003, 1), FORWARD)
  t.equal(rig.reply(60_000), FORWARD, 'a token is proof enough')
  t.equal(rig.data('192.0.2.7', 2004, 1), FORWARD)
  t.equal(rig.token('192.0.2.7', 2004, rig.grant('same', servers.D)), CONSUMED)
  t.equal(rig.reply(60_000), FORWARD, 'also when it comes later')
  const unlimited = new Rig({ amplificationFactor: 0 })
  unlimited.data('192.0.2.7', 2001, 1)
  t.equal(unlimited.reply(60_000), FORWARD)
})

void t.test('a reply that is too much for a first datagram keeps no session alive', async t => {
  const rig = new Rig({ amplificationFactor: 3 }, { refreshOn: 'both' })
  rig.data('192.0.2.7', 2001, 1)
  rig.now += 5000
  t.equal(rig.reply(4), DropReason.amplification)
  t.equal(rig.core.state.sessions.lastSeen(0), 1000)
  t.equal(rig.reply(3), FORWARD)
  t.equal(rig.core.state.sessions.lastSeen(0), 6000)
})

void t.test('no default-endpoint session is made for a blocked source port', async t => {
  const rig = new Rig({}, { blockedSourcePorts: [[0, 1023], [1900, 1900]] })
  for (const port of [1, 53, 1023, 1900]) t.equal(rig.data('192.0.2.7', port), DropReason.sourcePort)
  for (const port of [1024, 1899, 1901, 65_535]) t.equal(rig.data('192.0.2.7', port), FORWARD)
  t.equal(rig.token('192.0.2.7', 53), CONSUMED, 'a token may come from anywhere')
  t.equal(rig.data('192.0.2.7', 53), FORWARD, 'and then it is an established session')
  rig.core.operations.setDefaultTargets([])
  t.equal(rig.data('192.0.2.7', 54), DropReason.noSession)
  const open = new Rig()
  for (const port of [1, 53, 1900]) t.equal(open.data('192.0.2.7', port), FORWARD, 'an empty list blocks nothing')
})

void t.test('the lists of clients are for everyone without a session, with or without a token', async t => {
  const rig = new Rig({}, { clients: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.128/25'] } })
  for (const from of ['192.0.2.7', '::ffff:192.0.2.8', '2001:db8::1']) t.equal(rig.data(from, 2001), FORWARD, from)
  for (const from of ['192.0.2.129', '::ffff:192.0.2.130', '198.51.100.1', '2001:db9::1']) {
    const token = rig.grant()
    t.equal(rig.data(from, 2001), DropReason.accessDenied, from)
    t.equal(rig.token(from, 2001, token), DropReason.accessDenied)
    t.equal(rig.core.packets.fromClient(0, addressWords(from)!, 2001, bytesOf({ magic: 'junk' }), false, rig.now), DropReason.accessDenied)
    t.equal(rig.token('192.0.2.9', 2002, token), CONSUMED, 'the refused token stayed live')
  }
  const denying = new Rig({}, { clients: { deny: ['10.0.0.0/8'] } })
  t.equal(denying.data('10.1.2.3', 2001), DropReason.accessDenied)
  t.equal(denying.data('192.0.2.7', 2001), FORWARD, 'without `allow` everyone else')
})

void t.test('the director answers nothing that seems to come from itself', async t => {
  const rig = new Rig({}, { ownAddresses: ['192.0.2.1', '2001:db8::1', 'nonsense'] })
  const { ownSources, upstreamPorts } = rig.core.state
  ownSources.setDataPorts([7777])
  upstreamPorts.set(3, true, 40_000)
  upstreamPorts.set(3, false, 40_000)
  upstreamPorts.set(4, true, 40_001)
  for (const from of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1']) {
    for (const port of [7777, 40_000, 40_001]) t.equal(rig.data(from, port), DropReason.sourcePort, `${from} ${port}`)
    t.equal(rig.data(from, 7778), FORWARD, 'another program of this host')
  }
  const token = rig.grant()
  t.equal(rig.token('192.0.2.1', 7777, token), DropReason.sourcePort, 'not even with a token')
  t.equal(rig.token('192.0.2.2', 7777, token), CONSUMED, 'another host may use the same port')
  upstreamPorts.set(3, true, 0)
  t.equal(rig.data('192.0.2.1', 40_000), DropReason.sourcePort, 'the other family has it still')
  upstreamPorts.set(3, false, 40_002)
  t.equal(rig.data('192.0.2.1', 40_000), FORWARD, 'a port that is not ours any more is anybody\'s')
  t.equal(rig.data('192.0.2.1', 40_002), DropReason.sourcePort)
})

void t.test('no target is an address that names no single host', async t => {
  const rig = new Rig()
  for (const address of ['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.255', '255.255.255.255', '::', 'ff02::1', '::ffff:224.0.0.1']) {
    const target = { key: 'x', address, ports: [7001, 0] }
    t.equal(rig.core.operations.grant({ token: tokenOf('x'), target, ttlMs: 1000, consumed: 0 }, 0), 'INVALID_TARGET', address)
    t.equal(rig.core.operations.setDefaultTargets([target]).get('x'), 'INVALID_TARGET')
  }
})
