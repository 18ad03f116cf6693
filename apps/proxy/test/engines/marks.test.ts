// DSCP and ECN through the batch engine, across families and in bursts.
import t from 'tap'
import { markedToken } from '#testkit/objects/marked-token.js'
import { until } from '#testkit/patience.js'
import { hasIPv6 } from '#testkit/udp-peer.js'
import { ControlBlocks } from '../../src/engines/batch/system/control-blocks.js'
import { openLibc } from '../../src/engines/batch/system/libc.js'
import { markRule, type Dscp } from '../../src/engines/batch/ports/mark-rule.js'
import { openRig } from './conformance.js'
import { openShared } from './held-conformance.js'
import { MarkedPeer } from './marked-peer.js'
import { openHere } from './open-here.js'

const libc = await openLibc()
const EF = 46 << 2

for (const [dscp, mark, expected] of [
  [0, 0, 0], [0, EF | 2, 2], [0, 3, 3], [46, 1, EF | 1], [46, 0xff, EF | 3],
  ['keep', EF | 2, EF | 2], ['keep', 0, 0]
] as ReadonlyArray<readonly [Dscp, number, number]>) {
  void t.test(`with dscp ${dscp} a datagram that came with ${mark} leaves with ${expected}`, t => {
    const { carried, usual } = markRule(dscp)
    t.equal(mark & carried | usual, expected)
    t.end()
  })
}

for (const [ours, theirs] of [['127.0.0.1', '127.0.0.1'], ['127.0.0.1', '::1'], ['::1', '127.0.0.1'], ['::1', '::1']] as const) {
  void t.test(`a client at ${ours} and a target at ${theirs}: each datagram leaves with the mark it came with, both ways`, async t => {
    if (!await hasIPv6()) {
      t.comment('this machine has no IPv6: not run')
      return
    }
    const { core, port } = await openRig(t, openHere.batch, '::', {}, { dscp: 'keep' })
    const [client, server] = [new MarkedPeer(libc, ours), new MarkedPeer(libc, theirs)]
    t.teardown(() => { client.close(); server.close() })
    core.operations.setDefaultTargets([{ key: 'k', address: theirs, ports: [server.port, 0] }])
    // Neighbours of one length are sent as one, but not with two marks.
    const marks = [0, 0, 2, 2, 2, 3, 0, 1, EF, EF, EF | 2, 0, 0]
    const sent = marks.map((mark, index) => [`datagram ${String(index).padStart(2, '0')}`, mark] as const)
    client.send(sent, port(0))
    const up = await server.receive(marks.length)
    t.same(up.map(({ text, mark }) => [text, mark]), sent)
    server.send(sent, up[0]!.port)
    t.same((await client.receive(marks.length)).map(({ text, mark }) => [text, mark]), sent)
  })
}

void t.test('with a DSCP of its own, it is everywhere and ECN is carried beside it', async t => {
  const { core, port } = await openRig(t, openHere.batch, '127.0.0.1', {}, { dscp: 46 })
  const [client, server] = [new MarkedPeer(libc, '127.0.0.1'), new MarkedPeer(libc, '127.0.0.1')]
  t.teardown(() => { client.close(); server.close() })
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  client.send([['a', 0], ['b', 2], ['c', 10 << 2 | 1]], port(0))
  const up = await server.receive(3)
  t.same(up.map(({ mark }) => mark), [EF, EF | 2, EF | 1])
  server.send([['d', 0xff]], up[0]!.port)
  t.same((await client.receive(1)).map(({ mark }) => mark), [EF | 3])
})

void t.test('what was held leaves with the mark it came with', async t => {
  const { core, port, nextAsked, answer } = await openShared(t, openHere.batch, '127.0.0.1', {}, { dscp: 'keep' })
  const [client, server] = [new MarkedPeer(libc, '127.0.0.1'), new MarkedPeer(libc, '127.0.0.1')]
  t.teardown(() => { client.close(); server.close() })
  const sent = [0, 2, 2, 3, EF, EF | 2, 0].map((mark, index) => [`datagram ${index}`, mark] as const)
  client.send([[markedToken('marks'), EF | 1], ...sent], port(0))
  const { id, token = '' } = await nextAsked(1)
  await until(() => core.asks.heldCount === 8)
  await answer({ id, verdict: 'live', grant: { token, ttlMs: 1000, target: { key: 'k', address: '127.0.0.1', ports: { game: server.port } } } })
  t.same((await server.receive(sent.length)).map(({ text, mark }) => [text, mark]), sent)
})

void t.test('two clients in one batch: neither gets the mark of the other', async t => {
  const { core, port } = await openRig(t, openHere.batch, '127.0.0.1')
  const [one, other, server] = [new MarkedPeer(libc, '127.0.0.1'), new MarkedPeer(libc, '127.0.0.1'), new MarkedPeer(libc, '127.0.0.1')]
  t.teardown(() => { for (const peer of [one, other, server]) peer.close() })
  core.operations.setDefaultTargets([{ key: 'k', address: '127.0.0.1', ports: [server.port, 0] }])
  for (let round = 0; round < 20; round++) {
    one.send([['one', 3]], port(0))
    other.send([['other', 0]], port(0))
  }
  for (const { text, mark } of await server.receive(40)) t.equal(mark, text === 'one' ? 3 : 0)
})

void t.test('what is not whole, or is something else, is not a mark', t => {
  const blocks = new ControlBlocks(libc, 2)
  const { words } = blocks.memory
  for (const [what, message, bytes] of [
    ['no message', [], 0],
    ['half a head', [17, 0], 8],
    ['a head alone', [16, 0, 0, 1], 16],
    ['a length of nothing', [0, 0, 0, 1, 7], 24],
    ['another type', [20, 0, 0, 99, 7], 24],
    ['another level', [20, 0, 17, 1, 7], 24]
  ] as ReadonlyArray<readonly [string, number[], number]>) {
    words.fill(0)
    words.set(message, 24)
    blocks.read(1, bytes)
    t.equal(blocks.mark, 0, what)
  }
  words.set([20, 0, 0, 99, 7, 0, 17, 0, 0, 1, 0xab02], 24)
  blocks.read(1, 48)
  t.equal(blocks.mark, 2, 'the second of two, by its one byte')
  t.end()
})
