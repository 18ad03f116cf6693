// Targets that are gone, at once and in part: whom it concerns, where they go, and what is told.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../../src/core/core.js'
import type { CoreOptions } from '../../../src/core/datagrams/options.js'
import type { TargetSpec } from '../../../src/core/tables/target-table.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'

const client = addressWords('192.0.2.7')!
const now = 1000

interface Rig {
  readonly core: Core
  /** What the observer heard. */
  readonly told: unknown[]
  /** A session of this client port. */
  readonly open: (port: number, target: TargetSpec, at?: number) => void
  /** Keys that clients are at, by port; none if they have no session. */
  readonly at: (...ports: number[]) => string[]
}

function setUp (overrides: Partial<CoreOptions>): Rig {
  const told: unknown[] = []
  const core = createCore(testOptions(overrides), { ...silentObserver, targetGone: (...args) => { told.push(args) }, sessionChanged: change => { if (change !== 'established') told.push(change) } })
  const open = (port: number, target: TargetSpec, at = now): void => {
    core.operations.grant({ token: tokenOf(`t${port}`), target, ttlMs: 1000, consumed: 0 }, at)
    core.packets.fromClient(0, client, port, bytesOf({ token: `t${port}` }), false, at)
  }
  const at = (...ports: number[]): string[] => {
    const found = new Map<number, string>()
    const { sessions } = core.state
    for (let slot = 0; slot < sessions.highWater; slot++) {
      const { key, address } = core.operations.targetOf(slot)
      if (sessions.isLive(slot)) found.set(sessions.clientPort(slot), `${key} ${address}`)
    }
    return ports.map(port => found.get(port) ?? 'none')
  }
  return { core, told, open, at }
}

const { A, B, C, D } = servers
const successor = { ...A, address: '10.0.0.9' }

void t.test('those who are where the next bearer of the name is stay', t => {
  const { core, told, open, at } = setUp({ onTargetGone: 'default' })
  core.operations.setDefaultTargets([D])
  open(1, A)
  open(2, successor)
  open(3, { ...successor, ports: [7001, 0] })
  t.strictSame([...whole(core.operations.leaveTargets([{ key: 'A', stays: successor }], now), now)], [['A', 1]])
  t.strictSame(at(1, 2, 3), ['D fd00::4', 'A 10.0.0.9', 'D fd00::4'], 'other ports are another place')
  t.strictSame(told, ['moved', 'moved', ['A', 'default', 2]])
  t.end()
})

void t.test('many at once: each key that had sessions is told of, with its number', t => {
  const { core, told, open } = setUp({ onTargetGone: 'keep' })
  open(1, A)
  open(2, A)
  open(3, B)
  const gone = [A, B, C].map(({ key }) => ({ key, stays: undefined }))
  t.strictSame([...whole(core.operations.leaveTargets(gone, now), now)], [['A', 2], ['B', 1], ['C', 0]])
  t.strictSame(told, [['A', 'keep', 2], ['B', 'keep', 1]])
  t.strictSame([...core.state.counters.targetsGone], [2, 0, 0])
  t.end()
})

void t.test('nobody moves to what is gone itself, and they spread as new clients would', t => {
  const { core, open, at } = setUp({ onTargetGone: 'default', defaultChoice: 'leastSessions' })
  core.operations.setDefaultTargets([A, B, C])
  for (const port of [1, 2, 3, 4]) open(port, A)
  whole(core.operations.leaveTargets([{ key: 'A', stays: undefined }], now), now)
  t.strictSame(at(1, 2, 3, 4).sort(), ['B 10.0.0.2', 'B 10.0.0.2', 'C 10.0.0.3', 'C 10.0.0.3'])
  whole(core.operations.leaveTargets(['A', 'B', 'C'].map(key => ({ key, stays: undefined })), now), now)
  t.equal(core.state.sessions.size, 4, 'they stay if every candidate is gone')
  t.strictSame([...core.state.counters.targetsGone], [2, 0, 1])
  t.equal(core.state.counters.sessionsReset[1], 4, 'a move by the default endpoint is counted as one')
  t.end()
})

void t.test('a session that was idle too long ends by its time-out and no other cause', t => {
  const { core, told, open } = setUp({ onTargetGone: 'close', sessionTimeoutMs: 5000 })
  open(1, A)
  open(2, A, now + 4000)
  whole(core.operations.leaveTargets([{ key: 'A', stays: undefined }], now + 5001), now + 5001)
  t.strictSame(told, ['ended', ['A', 'close', 1]])
  whole(core.operations.sweep(now + 5001), now + 5001)
  t.strictSame([...core.state.counters.sessionsEnded], [1, 0, 1, 0, 0])
  whole(core.operations.sweep(now + 100_000), now + 100_000)
  t.equal(core.state.targets.size, 0, 'nobody holds the target any more')
  t.end()
})

void t.test('a token whose target is gone is remembered as such for as long as it would have lived', t => {
  const { core } = setUp({ onInvalidToken: 'drop' })
  const refusal = (at: number): number => core.packets.fromClient(0, client, 1, bytesOf({ token: 't' }), false, at)
  core.operations.grant({ token: tokenOf('t'), target: A, ttlMs: 3_600_000, consumed: 0 }, now)
  core.operations.withdraw(tokenOf('t'))
  whole(core.operations.sweep(now + 3_500_000), now + 3_500_000)
  t.equal(refusal(now + 3_500_000), 16)
  t.equal(core.state.targets.size, 0)
  whole(core.operations.sweep(now + 4_000_000), now + 4_000_000)
  t.equal(refusal(now + 4_000_000), 2, 'and is forgotten in the end')
  t.equal(core.state.tokens.expiredUnused, 0, 'it did not expire')
  t.end()
})
