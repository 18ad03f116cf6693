import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { tokenFromWords } from '#wire/token.js'
import { createCore, type Core } from '../../src/core/core.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import type { CoreLimits } from '../../src/core/sessions/options.js'
import type { Refusal } from '../../src/core/ledger/observer.js'
import { CONSUMED, FORWARD, type Verdict } from '../../src/core/datagrams/packet-path.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from './core-driver.js'

const home = addressWords('192.0.2.7')!
const data = Buffer.from('data')

function coreWith (limits: Partial<CoreLimits>, hasDefault = true): Core {
  const core = createCore(testOptions({ limits }), silentObserver)
  if (hasDefault) core.operations.setDefaultTargets([servers.D])
  return core
}

function send (core: Core, port: number, bytes: Uint8Array = data, now = 0, isTruncated = false): Verdict {
  return core.packets.fromClient(0, home, port, bytes, isTruncated, now)
}

function grant (core: Core, name: string, now = 0, ttlMs = 30_000, target = servers.A): string | undefined {
  return core.operations.grant({ token: tokenOf(name), target, ttlMs, consumed: 0 }, now)
}

void t.test('a full session table sheds new clients, serves established ones and keeps tokens live', t => {
  const core = coreWith({ maxSessions: 2 })
  for (const name of ['a', 'b', 't']) grant(core, name)
  t.equal(send(core, 1, bytesOf({ token: 'a' })), CONSUMED)
  t.equal(send(core, 2, bytesOf({ token: 'b' })), CONSUMED)
  t.equal(send(core, 3), DropReason.sessionLimit)
  t.equal(send(core, 3, bytesOf({ token: 't' })), DropReason.sessionLimit)
  t.equal(send(core, 1), FORWARD, 'an established client goes on')
  core.operations.endSession(core.operations.slotOf('1-2', 0), 0)
  t.equal(send(core, 3, bytesOf({ token: 't' })), CONSUMED, 'the token is still good')
  t.equal(core.state.sessions.size, 2)
  t.end()
})

void t.test('when no upstream socket is left for a target, no session comes of a first datagram', t => {
  const core = coreWith({ maxUpstreamSockets: 2 })
  t.equal(send(core, 1), FORWARD)
  t.equal(send(core, 2), FORWARD)
  t.equal(send(core, 3), DropReason.upstreamLimit)
  t.equal(core.state.sessions.size, 2, 'the third client has no session')
  t.equal(core.state.targets.sessionsOf('D'), 2)
  t.equal(core.state.counters.sessionsCreated.reduce((sum, count) => sum + count), 2)
  grant(core, 't')
  t.equal(send(core, 3, bytesOf({ token: 't' })), CONSUMED)
  t.equal(send(core, 3), FORWARD, 'another target has its own room on the same sockets')
  t.equal(core.state.flows.socket(core.packets.flow), 0)
  t.end()
})

void t.test('a pair of target and socket is not used again before the target has been silent', t => {
  const core = coreWith({ maxUpstreamSockets: 1, upstreamLingerMs: 10_000 })
  const reply = (now: number): Verdict => core.packets.fromTarget(0, addressWords('fd00::4')!, 7001, 4, false, now)
  t.equal(send(core, 1), FORWARD)
  t.equal(reply(0), FORWARD)
  core.operations.endSession(core.operations.slotOf('0-1', 0), 0)
  t.equal(reply(5000), DropReason.staleTarget, 'the late reply reaches nobody')
  whole(core.operations.sweep(10_000), 10_000)
  t.equal(send(core, 2, data, 10_000), DropReason.upstreamLimit, 'the target spoke 5 s ago')
  t.equal(core.state.flows.usesOfSocket(0), 1)
  whole(core.operations.sweep(15_000), 15_000)
  t.equal(core.state.flows.usesOfSocket(0), 0)
  t.equal(reply(15_000), DropReason.replySource, 'the pair belongs to nobody now')
  t.equal(send(core, 2, data, 15_000), FORWARD)
  t.equal(reply(15_001), FORWARD)
  t.equal(core.state.sessions.clientPort(core.packets.session), 2)
  t.end()
})

void t.test('datagrams nobody can handle are dropped before anything else', t => {
  const core = coreWith({ maxDatagramBytes: 600 })
  t.equal(send(core, 1, new Uint8Array(601)), DropReason.oversize)
  t.equal(send(core, 1, data, 0, true), DropReason.truncated)
  t.equal(send(core, 0), DropReason.badSource)
  t.equal(core.state.sessions.size, 0)
  t.equal(send(core, 1, new Uint8Array(600)), FORWARD)
  const reply = (bytes: number, isTruncated: boolean): Verdict => core.packets.fromTarget(0, addressWords('fd00::4')!, 7001, bytes, isTruncated, 0)
  t.equal(reply(601, false), DropReason.oversize)
  t.equal(reply(600, true), DropReason.truncated)
  t.equal(reply(600, false), FORWARD)
  t.equal(core.packets.fromTarget(7, addressWords('fd00::4')!, 7001, 4, false, 0), DropReason.replySource, 'the right target on another socket')
  t.equal(core.state.counters.inFlight(Direction.toTarget), 1, 'the forwarded one is the engine\'s to count')
  core.state.counters.countProxied(Direction.toTarget, 0, 600)
  t.equal(core.state.counters.inFlight(Direction.toTarget), 0)
  t.end()
})

void t.test('the token table is bounded, and makes room by forgetting what has ended', t => {
  const core = coreWith({ maxTokens: 2 })
  t.equal(grant(core, 'a', 0, 1000), undefined)
  t.equal(grant(core, 'b', 0, 5000), undefined)
  t.equal(grant(core, 'c', 0), 'TOKEN_TABLE_FULL')
  t.equal(core.state.targets.size, 2, 'the refused grant holds no target')
  t.equal(grant(core, 'c', 1000), undefined, 'a has ended')
  t.equal(core.state.tokens.expiredUnused, 1)
  t.equal(send(core, 1, bytesOf({ control: 'a' }), 1000), DropReason.tokenUnknown)
  t.equal(send(core, 1, bytesOf({ control: 'b' }), 1000), CONSUMED)
  t.end()
})

void t.test('a revoked token frees its place at once, and one that nobody knows takes none', t => {
  const core = coreWith({ maxTokens: 2 })
  for (let round = 0; round < 10; round++) {
    t.equal(grant(core, `a${round}`), undefined)
    t.equal(grant(core, `b${round}`), undefined)
    core.operations.revoke(tokenOf(`a${round}`))
    core.operations.revoke(tokenOf(`b${round}`))
    core.operations.revoke(tokenOf(`nobody's ${round}`))
    core.operations.withdraw(tokenOf(`nobody's either ${round}`))
  }
  t.equal(core.state.tokens.size, 0)
  t.equal(core.state.targets.size, 1, 'only the default target is held')
  grant(core, 't')
  core.operations.revoke(tokenOf('t'))
  t.equal(send(core, 1, bytesOf({ control: 't' })), DropReason.tokenUnknown)
  whole(core.operations.sweep(100_000), 100_000)
  t.equal(core.state.tokens.expiredUnused, 0, 'revoked tokens do not count as expired')
  t.end()
})

void t.test('withdrawn tokens are remembered as long as there is room, and give way to live ones', t => {
  const core = coreWith({ maxTokens: 3 })
  for (const name of ['a', 'b', 'c']) grant(core, name)
  for (const name of ['a', 'b', 'b']) core.operations.withdraw(tokenOf(name))
  t.equal(send(core, 1, bytesOf({ control: 'a' })), DropReason.targetGone)
  t.equal(grant(core, 'd'), undefined)
  t.equal(grant(core, 'e'), undefined)
  t.equal(grant(core, 'f'), 'TOKEN_TABLE_FULL')
  for (const name of ['c', 'd', 'e']) t.equal(send(core, 1, bytesOf({ control: name })), CONSUMED, name)
  t.equal(send(core, 1, bytesOf({ control: 'a' })), DropReason.tokenUnknown)
  t.end()
})

void t.test('a token that is granted again keeps what is known of it', t => {
  const core = coreWith({})
  grant(core, 't', 0, 1000)
  t.equal(send(core, 1, bytesOf({ token: 't' }), 0), CONSUMED)
  grant(core, 't', 500, 1000)
  t.equal(send(core, 2, bytesOf({ control: 't' }), 600), DropReason.tokenConsumed)
  t.equal(send(core, 2, bytesOf({ control: 't' }), 1200), DropReason.tokenExpired)
  core.operations.grant({ token: tokenOf('u'), target: servers.A, ttlMs: 1000, consumed: 1 }, 0)
  t.equal(send(core, 2, bytesOf({ control: 'u' })), DropReason.tokenConsumed, 'control knew of its redemption')
  t.equal(core.packets.fromClient(1, home, 2, bytesOf({ control: 'u' }), false, 0), CONSUMED)
  t.end()
})

void t.test('targets are bounded, checked, and dropped with their last holder', t => {
  const core = coreWith({ maxTargets: 2 }, false)
  t.equal(grant(core, 'a'), undefined)
  t.equal(grant(core, 'b', 0, 30_000, servers.B), undefined)
  t.equal(grant(core, 'c', 0, 30_000, servers.C), 'TARGET_TABLE_FULL')
  t.equal(grant(core, 'a2'), undefined, 'a known target needs no room')
  t.equal(grant(core, 'x', 0, 30_000, { key: 'x', address: 'example.com', ports: [1, 1] }), 'INVALID_TARGET')
  t.equal(grant(core, 'y', 0, 30_000, { key: 'y', address: '10.0.0.9', ports: [0, 0] }), 'INVALID_TARGET')
  t.same([...core.operations.setDefaultTargets([servers.A, servers.C])], [['C', 'TARGET_TABLE_FULL']])
  t.equal(core.state.defaults.candidates.length, 1)
  whole(core.operations.sweep(100_000), 100_000)
  core.operations.setDefaultTargets([])
  whole(core.operations.forgetCandidates(), 100_000)
  t.equal(core.state.targets.size, 0)
  t.end()
})

void t.test('an operator moves and ends sessions by their id', t => {
  const changes: string[] = []
  const core = createCore(testOptions(), { ...silentObserver, sessionChanged: change => { changes.push(change) } })
  core.operations.setDefaultTargets([servers.D])
  send(core, 1, Buffer.from('12345'), 100)
  core.state.counters.countProxied(Direction.toTarget, 0, 5)
  const id = core.operations.idOf(0)
  t.match(core.operations.viewOf(core.operations.slotOf(id, 150), 150), { id, client: '192.0.2.7:1', origin: 'default', ageMs: 50, idleMs: 50, datagramsToTarget: 1, bytesToTarget: 5, datagramsToClient: 0 })
  t.equal(core.operations.moveSession(0, { key: 'x', address: 'nowhere', ports: [1, 1] }, 200), 'INVALID_TARGET')
  t.equal(core.operations.moveSession(0, servers.B, 200), undefined)
  t.equal(core.operations.viewOf(0, 200).origin, 'operator')
  t.equal(core.operations.targetOf(0).key, 'B')
  t.same(core.state.targets.takeChangedCounts(), { D: 0, B: 1 })
  t.same(core.state.targets.takeChangedCounts(), {}, 'taken once')
  core.operations.endSession(core.operations.slotOf(id, 200), 200)
  t.equal(core.operations.slotOf(id, 200), -1, 'gone')
  send(core, 1, data, 300)
  t.equal(core.operations.slotOf(id, 300), -1, 'the next tenant of the slot is another session')
  for (const nonsense of ['', '-', '0-', 'zz', '0-1-2', '9999-1', '0-99', '../x']) t.equal(core.operations.slotOf(nonsense, 300), -1, nonsense)
  t.same(changes, ['established', 'moved', 'ended', 'established'])
  t.end()
})

void t.test('the default endpoint is chosen among its candidates', t => {
  const choose = (defaultChoice: 'first' | 'leastSessions' | 'labelArithmetic' | 'roundRobin' | 'random', clients: number, random = () => 0.9): string[] => {
    const core = createCore(testOptions({ defaultChoice, random }), silentObserver)
    core.operations.setDefaultTargets([servers.A, servers.B, servers.D])
    return Array.from({ length: clients }, (_, port) => {
      send(core, port + 1)
      return core.operations.targetOf(core.state.flows.session(core.packets.flow)).key
    })
  }
  t.same(choose('first', 3), ['A', 'A', 'A'])
  t.same(choose('labelArithmetic', 2), ['A', 'A'])
  t.same(choose('roundRobin', 4), ['A', 'B', 'D', 'A'])
  t.same(choose('leastSessions', 4), ['A', 'B', 'D', 'A'])
  t.same(choose('random', 2), ['D', 'D'])
  const many = createCore(testOptions({ defaultChoice: 'leastSessions', limits: { maxTargets: 100 }, random: (() => { let n = 0; return () => (n++ % 10) / 10 })() }), silentObserver)
  many.operations.setDefaultTargets(Array.from({ length: 80 }, (_, n) => ({ key: `k${n}`, address: `10.1.0.${n}`, ports: [1, 1] })))
  for (let port = 1; port <= 50; port++) send(many, port)
  t.ok(Math.max(...Object.values(many.state.targets.sessionCounts())) <= 10, 'the better of two random ones spreads the load')
  t.end()
})

void t.test('warnings are limited per second and reason, and what was left out is counted', t => {
  const refusals: Refusal[] = []
  const core = createCore(testOptions({ limits: { warningsPerSecond: 2 } }), { ...silentObserver, tokenRefused: refusal => { refusals.push({ ...refusal, clientWords: refusal.clientWords.slice() }) } })
  for (let port = 1; port <= 5; port++) send(core, port, bytesOf({ control: 'nobody' }), 100)
  send(core, 6, bytesOf({ magic: 'junk' }), 100)
  t.equal(refusals.length, 3)
  t.match(refusals[0], { reason: DropReason.tokenUnknown, isControlPacket: true, dataPort: 0, clientPort: 1 })
  t.same([...refusals[0]!.clientWords], [...home])
  send(core, 7, bytesOf({ control: 'nobody' }), 1000)
  t.equal(refusals.length, 4, 'a new second')
  t.equal(core.state.warningsSuppressed, 3)
  t.end()
})

void t.test('a client that is dropped is told of with its address and the reason, at a bounded rate', t => {
  const drops: [number, number][] = []
  const core = createCore(testOptions({ limits: { warningsPerSecond: 2 } }), { ...silentObserver, datagramDropped: ({ reason, clientWords, clientPort }) => { drops.push([reason, clientPort]); t.same([...clientWords], [...home]) } })
  for (let port = 1; port <= 5; port++) t.equal(send(core, port), DropReason.noSession)
  t.same(drops, [[DropReason.noSession, 1], [DropReason.noSession, 2]])
  t.equal(core.state.warningsSuppressed, 3)
  core.operations.setDraining(true)
  core.operations.setDefaultTargets([servers.D])
  send(core, 6)
  t.same(drops.at(-1), [DropReason.draining, 6], 'each reason has its own bound')
  send(core, 7, bytesOf({ control: 'nobody' }), 5000)
  t.equal(drops.length, 3, 'what a token is refused for is told of as that')
  t.end()
})

void t.test('a dead token as a first datagram is counted and told of by what is wrong with it, dropped or not', t => {
  for (const onInvalidToken of ['default', 'drop'] as const) {
    const refusals: Refusal[] = []
    const core = createCore(testOptions({ onInvalidToken }), { ...silentObserver, tokenRefused: refusal => { refusals.push(refusal) } })
    core.operations.setDefaultTargets([servers.D])
    grant(core, 'expired', 0, 1000)
    grant(core, 'gone')
    core.operations.withdraw(tokenOf('gone'))
    const isForwarded = onInvalidToken === 'default'
    for (const [port, name] of ['nobody', 'expired', 'gone'].entries()) t.equal(send(core, port + 1, bytesOf({ token: name }), 2000) === FORWARD, isForwarded)
    const reasons = [DropReason.tokenUnknown, DropReason.tokenExpired, DropReason.targetGone]
    t.match(refusals, reasons.map((reason, index) => ({ reason, isControlPacket: false, isForwarded, clientPort: index + 1 })))
    for (const reason of reasons) t.equal(core.state.counters.deadFirstTokens[reason], 1)
  }
  t.end()
})

void t.test('the observer learns which token was redeemed', t => {
  const redeemed: string[] = []
  const core = createCore(testOptions(), { ...silentObserver, tokenRedeemed: (words, dataPort, slot) => { redeemed.push(`${tokenFromWords(words)} on ${dataPort} by ${slot}`) } })
  grant(core, 't')
  send(core, 1, bytesOf({ token: 't' }))
  t.same(redeemed, [`${tokenOf('t')} on 0 by 0`])
  t.end()
})

void t.test('a grant that comes again after its target was gone marks no other token as redeemed', t => {
  const core = coreWith({}, false)
  grant(core, 'other')
  grant(core, 'void')
  core.operations.withdraw(tokenOf('void'))
  core.operations.grant({ token: tokenOf('void'), target: servers.A, ttlMs: 30_000, consumed: 1, claim: 0 }, 0)
  t.equal(send(core, 2, bytesOf({ control: 'void' })), DropReason.targetGone, 'it stays void')
  t.equal(send(core, 1, bytesOf({ token: 'other' })), CONSUMED, 'the other one is still good')
  t.equal(core.state.sessions.size, 1)
  t.end()
})

void t.test('a draining core takes clients with tokens and keeps those it has; others it drops', t => {
  const core = coreWith({})
  grant(core, 'before')
  t.equal(send(core, 1), FORWARD)
  core.operations.setDraining(true)
  t.equal(send(core, 1), FORWARD, 'a session goes on')
  t.equal(send(core, 2), DropReason.draining)
  t.equal(send(core, 2, bytesOf({ token: 'unknown' })), DropReason.draining, 'nor by the way of a bad token')
  t.strictSame(whole(core.operations.left(0), 0), { sessions: 1, unredeemedTokens: 1 })
  t.equal(send(core, 2, bytesOf({ token: 'before' })), CONSUMED)
  t.equal(send(core, 2), FORWARD)
  t.strictSame(whole(core.operations.left(0), 0), { sessions: 2, unredeemedTokens: 0 })
  whole(core.operations.leaveTargets([{ key: 'A', stays: undefined }], 0), 0)
  t.equal(send(core, 2), FORWARD)
  grant(core, 'expired', 0, 1000)
  grant(core, 'void')
  core.operations.revoke(tokenOf('void'))
  t.strictSame(whole(core.operations.left(999), 999), { sessions: 2, unredeemedTokens: 1 })
  t.strictSame(whole(core.operations.left(1000), 1000), { sessions: 2, unredeemedTokens: 0 })
  t.strictSame(whole(core.operations.left(300_001), 300_001), { sessions: 0, unredeemedTokens: 0 }, 'idle ones do not count before they are swept')
  t.equal(core.state.sessions.size, 2)
  core.operations.setDraining(false)
  t.equal(send(core, 3), FORWARD)
  const none = coreWith({}, false)
  none.operations.setDraining(true)
  t.equal(send(none, 1), DropReason.noSession, 'where there is no default endpoint nothing changes')
  t.end()
})
