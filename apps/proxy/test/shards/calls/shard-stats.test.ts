// What the shards say, added up: tables that are parts of one, and tables that each has whole.
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { systemClock } from '#core/system-clock.js'
import { createCore } from '../../../src/core/core.js'
import { statsOf, totalOf, type ShardStats } from '../../../src/shards/calls/shard-stats.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../../core/core-driver.js'
import { SocketFaults } from '../../../src/shards/journal/socket-faults.js'

// A core with so many default-endpoint sessions, and one that a token made.
function shard (guests: number): ShardStats {
  const core = createCore(testOptions(), silentObserver)
  core.operations.setDefaultTargets([servers.D])
  for (let port = 1; port <= guests; port++) core.packets.fromClient(0, addressWords('192.0.2.7')!, port, bytesOf({ data: 'x' }), false, 0)
  core.operations.grant({ token: tokenOf('t'), target: servers.A, ttlMs: 1000, consumed: 0 }, 0)
  core.packets.fromClient(0, addressWords('192.0.2.7')!, 1000, bytesOf({ token: 't' }), false, 0)
  return statsOf({ core, engine: { upstreamSockets: () => guests, receiveDrops: () => [] }, journal: { suppressed: 0 }, socketFaults: new SocketFaults({ voice: { log: () => {} }, clock: systemClock, linesPerSecond: 1 }), log: undefined, sessionsRestored: 0, replicas: { seenElsewhere: 0 } })
}

void t.test('what is divided among shards is added, what each has whole is not', async t => {
  const { limits, dataPorts } = testOptions()
  const { tables, upstreamSockets, maxUpstreamSockets } = totalOf([shard(2), shard(3)])
  t.strictSame(tables, {
    sessions: { entries: 7, capacity: limits.maxSessions * 2 },
    default_sessions: { entries: 5, capacity: limits.maxSessions * 2 },
    tokens: { entries: 1, capacity: limits.maxTokens },
    targets: { entries: 2, capacity: limits.maxTargets },
    flows: { entries: 5, capacity: limits.maxSessions * dataPorts * 2 * 2 },
    endpoints: { entries: 1, capacity: limits.maxTargets * dataPorts * 2 },
    held_datagrams: { entries: 0, capacity: 0 }
  })
  t.strictSame([upstreamSockets, maxUpstreamSockets], [5, limits.maxUpstreamSockets * 2 * 2], 'a socket for each number and family')
})
