// When sessions were last seen is written in rounds.
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../src/core/core.js'
import { ImageWriter } from '../../src/state/format/image-writer.js'
import { SeenWriter, seenRoundMs } from '../../src/state/seen-writer.js'
import { bytesOf, servers, silentObserver, testOptions } from '../core/core-driver.js'

const client = addressWords('192.0.2.7')!

function setUp (clients: number, sessionTimeoutMs = 300_000) {
  const { limits } = testOptions()
  const core = createCore(testOptions({ sessionTimeoutMs, limits: { ...limits, maxSessions: clients, maxSessionsPerPrefix: clients, maxUpstreamSockets: 2 * clients } }), silentObserver)
  core.operations.setDefaultTargets([servers.A])
  const send = (index: number, now: number): void => { core.packets.fromClient(0, client, 1000 + index, bytesOf({ data: 'x' }), false, now) }
  for (let index = 0; index < clients; index++) send(index, 0)
  const writer = new ImageWriter()
  const seen = new SeenWriter(core.state, 0)
  const empty = writer.length
  writer.mark(1, 0)
  const headBytes = writer.length - empty
  writer.take({ lifeMs: 0, bootMs: 0, wallMs: 0 }, 0)
  const turn = (now: number): number => {
    seen.turn(writer, now)
    const written = (writer.length - empty) / (headBytes + 8)
    writer.take({ lifeMs: 0, bootMs: 0, wallMs: 0 }, 0)
    return written
  }
  return { core, send, turn }
}

void t.test('a round takes ten seconds, and less where sessions end sooner', t => {
  t.equal(seenRoundMs(300_000), 10_000)
  t.equal(seenRoundMs(200_000), 10_000)
  t.equal(seenRoundMs(100_000), 5000)
  t.equal(seenRoundMs(1000), 50)
  t.end()
})

void t.test('all are looked at in a round, evenly, and those that were seen meanwhile written', t => {
  const { send, turn } = setUp(40)
  t.equal(turn(2500), 10)
  t.equal(turn(5000), 10)
  t.equal(turn(10_000), 20)
  t.equal(turn(20_000), 40, 'seen since the first round began')
  t.equal(turn(30_000), 0, 'nobody has said anything')
  for (const index of [1, 2, 3]) send(index, 30_000)
  t.equal(turn(40_000), 3)
  t.equal(turn(50_000), 0)
  t.equal(turn(55_000), 0)
  send(1, 56_000)
  t.equal(turn(60_000), 0, 'this round has passed it already')
  t.equal(turn(70_000), 1, 'the next one finds it')
  t.equal(turn(1_000_000), 0, 'one round at most in a turn')
  t.end()
})

void t.test('what another source of activity has seen is written', t => {
  const { core, turn } = setUp(4)
  t.equal(turn(10_000), 4)
  t.equal(turn(20_000), 4)
  core.state.activity = { lastSeen: slot => slot === 2 ? 25_000 : 0 }
  t.equal(turn(30_000), 1)
  t.end()
})

void t.test('a session that is over is not written', t => {
  const { core, turn } = setUp(4)
  core.operations.endSession(2, 0)
  t.equal(turn(10_000), 3)
  t.end()
})

void t.test('a turn looks at ten thousand at most, however late it is', t => {
  const { turn } = setUp(10_050)
  t.equal(turn(10_000), 10_000)
  t.end()
})
