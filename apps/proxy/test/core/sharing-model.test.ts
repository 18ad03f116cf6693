// Random histories of clients, answers and silences, against the naive model: nothing is lost, nothing overtakes, nothing leaks.
import t from 'tap'
import fc from 'fast-check'
import { whole } from '#core/slices.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import type { StoreAnswer } from '#testkit/state-table/shared-scenarios.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { CLIENT_KEY_WORDS } from '../../src/core/tables/session-table.js'
import { bytesOf, servers } from './core-driver.js'
import { answerOf, home, markedToken, SharedDriver, type Outcome } from './shared-driver.js'
import { DEADLINE_MS, NaiveSharing, type SharedPacket } from './naive-sharing.js'

const SESSION_TIMEOUT_MS = 40_000
const HELD_DATAGRAMS = 24
const ANSWERED_TTL_MS = 30_000

const clients = ['p', 'q', 'r', 's']
const server = fc.constantFrom('A' as const, 'B' as const, 'C' as const)
const token = fc.constantFrom('one', 'two', 'three', 'forged')
const client = fc.constantFrom(...clients)

const packet: fc.Arbitrary<SharedPacket> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'data' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('token' as const), token }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('control' as const), token }) })

const answer: fc.Arbitrary<StoreAnswer> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ live: server, consumedOn: fc.subarray(['game' as const, 'voice' as const]) }) },
  { weight: 2, arbitrary: fc.record({ refused: fc.constantFrom('unknown' as const, 'expired' as const, 'consumed' as const, 'void' as const, 'not_theirs' as const) }) },
  { weight: 2, arbitrary: fc.record({ followed: server, boundBy: token }) },
  { weight: 1, arbitrary: fc.record({ followed: server }) },
  { weight: 2, arbitrary: fc.constant('none' as const) },
  { weight: 1, arbitrary: fc.constant('late' as const) })

const action = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), token: fc.constantFrom('one', 'two'), to: server, ttlMs: fc.constantFrom(300, 3000, 30_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), token }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('send' as const), client, dataPort: fc.constantFrom(0, 1), packet }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), client, answer }) },
  // An answer to an ask that is over, or one that names somebody else.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stray' as const), client, answer, isOld: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 249, 250, 1000, 40_001) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hear' as const), isOpen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), isDraining: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('elsewhere' as const), client, change: fc.constantFrom('moved' as const, 'ended' as const, 'seen' as const), to: server }) })

const setting = fc.record({ hasDefault: fc.boolean(), onInvalidToken: fc.constantFrom('default' as const, 'drop' as const) })

function textOf (outcome: Outcome): string {
  if ('held' in outcome) return `held:${outcome.held}`
  if ('at' in outcome) return `to:${outcome.at}`
  return 'consumed' in outcome ? outcome.consumed : outcome.dropped
}

function payloadOf (packet: SharedPacket, number: number): Uint8Array {
  if (packet.kind === 'data') return bytesOf({ data: `data ${number}` })
  return bytesOf(packet.kind === 'token' ? { token: packet.token } : { control: packet.token }, markedToken)
}

function same (got: unknown, expected: unknown, what: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(what)}: ${JSON.stringify(got)} instead of ${JSON.stringify(expected)}`)
}

void t.test('what waits agrees with a naive model in random histories', t => {
  const seen = new Set<string>()
  fc.assert(fc.property(setting, fc.array(action, { maxLength: 120, size: 'max' }), ({ hasDefault, onInvalidToken }, actions) => {
    const driver = new SharedDriver({
      onInvalidToken,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      limits: { storeDeadlineMs: DEADLINE_MS, heldDatagrams: HELD_DATAGRAMS, upstreamLingerMs: 0, maxUpstreamSockets: 500 }
    }, hasDefault)
    const { core } = driver
    const model = new NaiveSharing({ sessionTimeoutMs: SESSION_TIMEOUT_MS, hasDefault, onInvalidToken, heldDatagrams: HELD_DATAGRAMS, ports: { A: [true, true], B: [true, true], C: [true, false], D: [true, true] } })
    const keyOf = (name: string): Uint32Array => {
      const key = new Uint32Array(CLIENT_KEY_WORDS)
      key.set(home)
      key[ADDRESS_WORDS] = driver.portOf(name)
      return key
    }
    // By client: the number of the datagram that was forwarded last.
    const forwarded = new Map<number, number>()
    let number = 0
    const expire = (): void => {
      const got = driver.control(model.isOpen ? 'back' : 'away')
      const expected = model.expire(driver.now, Object.keys(got))
      for (const name of clients) same(got[name]?.map(textOf) ?? [], expected.get(name) ?? [], ['expire', name, driver.now])
      for (const outcomes of expected.values()) for (const outcome of outcomes) seen.add(outcome)
    }
    const step = (action: typeof actions[number]): void => {
      // Flows of the past are not in the way, and tokens of long ago are forgotten.
      whole(core.operations.sweep(driver.now), driver.now)
      model.forgetTokens(driver.now)
      if (action.do === 'grant') {
        driver.grant(action.token, action.to, action.ttlMs)
        model.grant(action.token, action.to, driver.now + action.ttlMs)
      } else if (action.do === 'revoke') {
        core.operations.revoke(markedToken(action.token))
        model.tokens.delete(action.token)
      } else if (action.do === 'drain') {
        core.operations.setDraining(action.isDraining)
        model.isDraining = action.isDraining
      } else if (action.do === 'pass') {
        driver.now += action.ms
        expire()
      } else if (action.do === 'hear') {
        model.isOpen = action.isOpen
        expire()
      } else if (action.do === 'elsewhere') {
        core.operations.tellElsewhere([{ client: keyOf(action.client), change: action.change, target: servers[action.to] }], driver.now)
        model.tellElsewhere(action.client, action.change, action.to, driver.now)
      } else if (action.do === 'stray') {
        const ask = driver.asked.findLast(({ client }) => client === driver.portOf(action.client))
        if (ask === undefined) return
        const right = answerOf(ask, action.answer)
        const told = action.isOld ? { ...right, id: ask.id + 4 * HELD_DATAGRAMS * 1000 } : right
        // One that names another client, or another token.
        const wrong = told.verdict === 'followed'
          ? { ...told, session: { ...told.session, client: keyOf('somebody else') } }
          : told.verdict === 'live' ? { ...told, grant: { ...told.grant, token: markedToken('another') } } : { ...told, id: -1 - told.id }
        same(core.asks.answer(wrong, driver.now, driver.forward), false, action)
      } else if (action.do === 'answer') {
        const asks = driver.asked.filter(({ client }) => client === driver.portOf(action.client))
        const expected = model.answer(action.client, action.answer, ANSWERED_TTL_MS, driver.now)
        if (expected === undefined) {
          // Nobody waits for it: it comes twice or late, or does not answer what was asked.
          for (const ask of asks) same(core.asks.answer(answerOf(ask, action.answer), driver.now, driver.forward), false, action)
          return
        }
        for (const former of asks.slice(0, -1)) same(core.asks.answer(answerOf(former, action.answer), driver.now, driver.forward), false, 'former')
        same(driver.answer(action.client, action.answer).map(textOf), expected, action)
        for (const outcome of expected) seen.add(outcome)
      } else {
        number++
        const expected = model.receive(action.client, action.dataPort, action.packet, driver.now)
        const got = textOf(driver.send(action.client, action.dataPort === 0 ? 'game' : 'voice', payloadOf(action.packet, number)))
        same(got, expected, [action, driver.now])
        if (got.startsWith('to:')) forwarded.set(driver.portOf(action.client), number)
        seen.add(got)
      }
    }
    for (const action of actions) {
      step(action)
      for (const { bytes, port } of driver.forwarded.splice(0)) {
        const [, digits] = /^data (\d+)$/.exec(bytes.toString()) ?? []
        if (digits === undefined) continue
        if (Number(digits) <= (forwarded.get(port) ?? 0)) throw new Error(`datagram ${digits} was overtaken`)
        forwarded.set(port, Number(digits))
      }
      if (core.asks.heldCount !== model.held) throw new Error(`${core.asks.heldCount} wait instead of ${model.held}`)
      same(core.state.counters.inFlight(Direction.toTarget), model.held, 'received = forwarded + consumed + dropped + held')
    }
    // Nobody holds anything once everything has ended.
    model.isOpen = false
    expire()
    same([core.asks.heldCount, core.asks.nextDueAt === Infinity, core.state.asking.waiting.size], [0, true, 0], 'nobody waits')
    for (const later of [100_000, 200_000]) whole(core.operations.sweep(driver.now + later), driver.now + later)
    core.operations.setDefaultTargets([])
    whole(core.operations.forgetCandidates(), driver.now)
    return core.state.sessions.size === 0 && core.state.tokens.size === 0 && core.state.targets.size === 0
  }), { numRuns: 600 })
  t.same([...seen].sort(), ['draining', 'held:behind', 'held:session', 'held:token', 'held_limit', 'no_port', 'no_session', 'reset', 'retransmit', 'store_late', 'to:A', 'to:B', 'to:C', 'to:D', 'token', 'token_client', 'token_consumed', 'token_expired', 'token_forged', 'token_unknown'], 'every outcome came up')
  t.end()
})
