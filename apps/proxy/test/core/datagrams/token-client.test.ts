// Tokens that are bound to the address of the client that asked for them.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../../src/core/core.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import { CONSUMED, FORWARD, type Verdict } from '../../../src/core/datagrams/packet-path.js'
import { Translator } from '../../../src/shards/calls/translate.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'
import type { Payload } from '#testkit/state-table/scenarios.js'

function setUp (): Core {
  const core = createCore(testOptions(), silentObserver)
  core.operations.setDefaultTargets([servers.D])
  return core
}

const translator = new Translator(['game', 'voice'])

function grant (core: Core, name: string, client?: string): void {
  const target = { key: 'A', address: '10.0.0.1', ports: { game: 7001, voice: 7002 } }
  core.operations.grant(translator.grant({ token: tokenOf(name), ttlMs: 30_000, target, ...(client === undefined ? {} : { client }) }), 0)
}

function send (core: Core, from: string, payload: Payload, dataPort = 0): Verdict {
  return core.packets.fromClient(dataPort, addressWords(from)!, 4000, bytesOf(payload), false, 0)
}

void t.test('a bound token is redeemed from its own address only, and stays live for its owner', async t => {
  for (const [owner, same, other] of [
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:192.0.2.8'],
    ['2001:db8:0:1::7', '2001:db8:0:1:ffff::8', '2001:db8:0:2::7'],
    ['192.0.2.7', '192.0.2.7', '2001:db8::192.0.2.7']
  ] as const) {
    const core = setUp()
    grant(core, 't', owner)
    const bound = core.state.tokens.clientOf(0)!
    core.operations.grant({ token: tokenOf('again'), target: servers.A, ttlMs: 30_000, consumed: 0, client: bound }, 0)
    t.same(core.state.tokens.clientOf(1), bound, 'what it is bound to can be read and given again')
    t.equal(send(core, other, { control: 'again' }), DropReason.tokenClient)
    t.equal(send(core, other, { token: 't' }), DropReason.tokenClient, `${other} has no right to it`)
    t.equal(send(core, other, { control: 't' }), DropReason.tokenClient)
    t.equal(core.state.sessions.size, 0, 'and gets no session by it')
    t.equal(send(core, same, { token: 't' }), CONSUMED, `${same} has`)
    t.equal(send(core, other, { control: 't' }), DropReason.tokenConsumed, 'now it is used up')
    t.equal(send(core, other, { control: 't' }, 1), DropReason.tokenClient, 'on the other data port it is not')
    t.equal(send(core, same, { token: 't' }, 1), CONSUMED)
  }
})

void t.test('in a session, another\'s token is neither redeemed nor shown to the target', async t => {
  const core = setUp()
  grant(core, 't', '192.0.2.7')
  t.equal(send(core, '192.0.2.8', { data: 'x' }), FORWARD)
  t.equal(send(core, '192.0.2.8', { token: 't' }), DropReason.tokenClient)
  t.equal(send(core, '192.0.2.8', { control: 't' }), DropReason.tokenClient)
  t.equal(core.operations.targetOf(0).key, 'D', 'it has not moved')
  t.equal(send(core, '192.0.2.7', { control: 't' }), CONSUMED)
})

void t.test('a token without a client is anybody\'s, and one whose client cannot be read is nobody\'s', async t => {
  const core = setUp()
  grant(core, 'anyone')
  t.equal(core.state.tokens.clientOf(0), undefined)
  grant(core, 'nobody', 'not an address')
  t.equal(send(core, '192.0.2.8', { token: 'anyone' }), CONSUMED)
  for (const from of ['192.0.2.8', '::1', '2001:db8::1']) t.equal(send(core, from, { control: 'nobody' }), DropReason.tokenClient)
})

void t.test('the memory of a token that was bound says nothing about the next one in its place', async t => {
  const core = setUp()
  grant(core, 'bound', '192.0.2.7')
  whole(core.operations.sweep(100_000), 100_000)
  t.equal(core.state.tokens.size, 0)
  grant(core, 'free')
  t.equal(send(core, '192.0.2.8', { token: 'free' }), CONSUMED)
})
