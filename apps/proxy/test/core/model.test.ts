import t from 'tap'
import fc from 'fast-check'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../src/core/core.js'
import { consumedKindNames } from '../../src/core/ledger/counters.js'
import { dropReasons } from '../../src/core/ledger/drop-reason.js'
import { CONSUMED, FORWARD, HELD } from '../../src/core/datagrams/packet-path.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from './core-driver.js'
import { NaiveModel, type ModelPacket } from './naive-model.js'

const SESSION_TIMEOUT_MS = 5000
const MAX_SESSIONS = 4

const name = fc.constantFrom('t1', 't2', 't3', 't4', 't5')
const client = fc.integer({ min: 1, max: 6 })
const packet = fc.oneof(
  { weight: 3, arbitrary: fc.constant<ModelPacket>({ kind: 'data' }) },
  { weight: 1, arbitrary: fc.constant<ModelPacket>({ kind: 'malformed' }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('token' as const), token: name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('control' as const), token: name }) })

const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('grant' as const), name, to: fc.constantFrom('A' as const, 'B' as const, 'C' as const), ttlMs: fc.constantFrom(1000, 3000, 20_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), target: fc.constantFrom('A' as const, 'B' as const, 'C' as const, 'D' as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), client, dataPort: fc.constantFrom(0, 1), packet }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 999, 1000, 2500, 5000, 5001) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) })

const setting = fc.record({ hasDefault: fc.boolean(), onInvalidToken: fc.constantFrom('default' as const, 'drop' as const), onTargetGone: fc.constantFrom('keep' as const, 'close' as const, 'default' as const) })

// Tokens that are over are forgotten 30 s after their end, when the naive model would still say "expired": histories end
// before that.
const MAX_HISTORY_MS = 30_000

const address = addressWords('2001:db8::7')!

function payloadOf (packet: ModelPacket): Uint8Array {
  if (packet.kind === 'data') return bytesOf({ data: 'data' })
  if (packet.kind === 'malformed') return bytesOf({ magic: 'junk' })
  return bytesOf(packet.kind === 'token' ? { token: packet.token } : { control: packet.token })
}

void t.test('sessions and tokens agree with a naive model on every datagram of random histories', t => {
  const seen = new Set<string>()
  fc.assert(fc.property(setting, fc.array(action, { maxLength: 80, size: 'max' }), ({ hasDefault, onInvalidToken, onTargetGone }, actions) => {
    // Pairs do not linger here: sessions that come and go this fast would use up the flows, which the model knows nothing of.
    let ended: string | undefined
    const core: Core = createCore(testOptions({ onInvalidToken, onTargetGone, sessionTimeoutMs: SESSION_TIMEOUT_MS, limits: { maxSessions: MAX_SESSIONS, upstreamLingerMs: 0 } }), {
      ...silentObserver,
      sessionChanged: (change, slot) => { if (change === 'ended') ended = String(core.state.sessions.clientPort(slot)) }
    })
    const ports = Object.fromEntries(Object.entries(servers).map(([key, server]) => [key, server.ports.map(port => port > 0)]))
    const model = new NaiveModel({ hasDefault, onInvalidToken, onTargetGone, sessionTimeoutMs: SESSION_TIMEOUT_MS, maxSessions: MAX_SESSIONS, ports })
    if (hasDefault) core.operations.setDefaultTargets([servers.D])
    let now = 1000
    for (const step of actions) {
      if (now > MAX_HISTORY_MS) break
      if (step.do === 'grant') {
        core.operations.grant({ token: tokenOf(step.name), target: servers[step.to], ttlMs: step.ttlMs, consumed: 0 }, now)
        model.grant(step.name, step.to, now + step.ttlMs)
      } else if (step.do === 'revoke') {
        core.operations.revoke(tokenOf(step.name))
        model.revoke(step.name)
      } else if (step.do === 'withdraw') {
        core.operations.withdraw(tokenOf(step.name))
        model.withdraw(step.name)
      } else if (step.do === 'leave') {
        whole(core.operations.leaveTargets([{ key: step.target, stays: undefined }], now), now)
        model.leave(step.target, now)
      } else if (step.do === 'pass') now += step.ms
      else if (step.do === 'sweep') {
        whole(core.operations.sweep(now), now)
        model.expireSessions(now)
        if (core.state.sessions.size !== model.sessions.size) throw new Error('the sweep left another number of sessions')
      } else {
        const before = [...core.state.counters.consumed]
        // A full table makes room only by the sweep: the naive model expires at every datagram, so the core must be swept too.
        whole(core.operations.sweep(now), now)
        ended = undefined
        const verdict = core.packets.fromClient(step.dataPort, address, step.client, payloadOf(step.packet), false, now)
        let outcome = ''
        if (verdict === FORWARD) outcome = `to:${core.operations.targetOf(core.state.flows.session(core.packets.flow)).key}`
        else if (verdict === CONSUMED) outcome = consumedKindNames[before.findIndex((count, kind) => count !== core.state.counters.consumed[kind])]!
        else if (verdict !== HELD) outcome = dropReasons[verdict].name
        const expected = model.receive(String(step.client), step.dataPort, step.packet, now, ended)
        if (ended !== undefined) seen.add('evicted')
        if (outcome !== expected) throw new Error(`${JSON.stringify(step)} at ${now}: ${outcome} instead of ${expected}`)
        seen.add(outcome)
      }
      if (core.state.targets.size > 4) throw new Error('targets leak')
    }
    // Nobody holds anything once everything has ended: the first sweep ends the sessions, the second their lingering.
    core.operations.setDefaultTargets([])
    whole(core.operations.forgetCandidates(), now)
    whole(core.operations.sweep(now + 10 * MAX_HISTORY_MS), now + 10 * MAX_HISTORY_MS)
    whole(core.operations.sweep(now + 20 * MAX_HISTORY_MS), now + 20 * MAX_HISTORY_MS)
    return core.state.sessions.size === 0 && core.state.tokens.size === 0 && core.state.targets.size === 0 && core.state.flows.lingering === 0
  }), { numRuns: 1000 })
  t.same([...seen].sort(), ['evicted', 'no_port', 'no_session', 'reset', 'retransmit', 'session_limit', 'target_gone', 'to:A', 'to:B', 'to:C', 'to:D', 'token', 'token_consumed', 'token_expired', 'token_malformed', 'token_unknown'], 'every outcome came up')
  t.end()
})
