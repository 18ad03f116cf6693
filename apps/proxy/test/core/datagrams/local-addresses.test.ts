// Addresses of this host by number, and what flows remember of them.
import { whole } from '#core/slices.js'
import t from 'tap'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../../src/core/core.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import { LocalAddresses, MAX_LOCALS, NO_LOCAL } from '../../../src/core/datagrams/local-addresses.js'
import { FORWARD } from '../../../src/core/datagrams/packet-path.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'

const words = (last: number): Uint32Array => Uint32Array.of(0x20010db8, 0, 0, last)

void t.test('an address has one number, and an interface makes it another one', t => {
  const locals = new LocalAddresses(1)
  const one = locals.intern(words(1), 0)
  t.equal(locals.intern(words(1), 0), one)
  t.not(locals.intern(words(1), 2), one)
  t.equal(locals.find(words(3), 0), NO_LOCAL)
  t.ok(locals.matches(one, words(1), 0))
  t.notOk(locals.matches(one, words(1), 1))
  t.notOk(locals.matches(one, words(2), 0))
  t.notOk(locals.matches(NO_LOCAL, words(1), 0))
  t.ok(locals.hasAddress(words(1)))
  t.notOk(locals.hasAddress(words(2)))
  t.end()
})

void t.test('when all numbers are given away nobody gets one, until some are not used any more', t => {
  const locals = new LocalAddresses(1)
  for (let last = 1; last <= MAX_LOCALS; last++) t.not(locals.intern(words(last), 0), NO_LOCAL)
  t.equal(locals.intern(words(0), 0), NO_LOCAL)
  const [pinned, used] = [locals.find(words(7), 0), locals.find(words(9), 0)]
  locals.pin(pinned)
  locals.forgetUnused(local => local === used ? 1 : 0)
  t.equal(locals.size, 2)
  t.ok(locals.matches(pinned, words(7), 0))
  t.ok(locals.matches(used, words(9), 0))
  t.not(locals.intern(words(0), 0), NO_LOCAL)
  t.end()
})

function rig () {
  const core = createCore(testOptions({ dataPorts: 16, ownAddresses: [] }), silentObserver)
  const ports = Array.from({ length: 16 }, (_, index) => 7001 + index)
  core.operations.setDefaultTargets([{ ...servers.A, ports }])
  const send = (payload: Parameters<typeof bytesOf>[0], local: number, { dataPort = 0, at = 0, port = 1000 } = {}): number => {
    const bytes = bytesOf(payload)
    return core.packets.fromClient(dataPort, addressWords('192.0.2.7')!, port, bytes, false, at, 0, bytes.length, local)
  }
  const local = (dataPort = 0): number => {
    const { sessions, flows } = core.state
    return flows.local(flows.findInList(sessions.firstFlow(0), dataPort))
  }
  return { core, ports, send, local }
}

void t.test('each data port of a session replies from where the client sent to last', t => {
  const { core, send, local } = rig()
  t.equal(send({ data: 'x' }, 1), FORWARD)
  t.equal(send({ data: 'x' }, MAX_LOCALS, { dataPort: 15 }), FORWARD)
  t.same([local(0), local(15)], [1, MAX_LOCALS])
  t.same([core.state.flows.dataPort(0), core.state.flows.dataPort(1)], [0, 15])
  send({ data: 'x' }, 2)
  t.same([local(0), local(15)], [2, MAX_LOCALS])
  send({ data: 'x' }, NO_LOCAL)
  t.equal(local(), 2, 'one that does not say changes nothing')
  t.same([1, 2, MAX_LOCALS].map(number => core.state.flows.usesOfLocal(number)), [0, 1, 1])
  t.end()
})

void t.test('a token says where to as well as data does, and a reset forgets', t => {
  const { core, ports, send, local } = rig()
  const grant = (name: string, server: keyof typeof servers): void => { core.operations.grant({ token: tokenOf(name), target: { ...servers[server], ports }, ttlMs: 30_000, consumed: 0 }, 0) }
  send({ data: 'x' }, 1)
  grant('same', 'A')
  send({ control: 'same' }, 2)
  t.equal(local(), 2, 'the same target by a token')
  send({ control: 'same' }, 3)
  t.equal(local(), 3, 'a retransmission')
  send({ control: 'dead' }, 4)
  t.equal(local(), 3, 'what is dropped says nothing')
  grant('other', 'B')
  send({ control: 'other' }, 4)
  t.equal(core.state.sessions.firstFlow(0), -1, 'no flow, so nothing to reply to')
  send({ data: 'x' }, 5)
  t.equal(local(), 5)
  t.equal(core.state.flows.usesOfLocal(3), 1, 'the one that lingers')
  whole(core.operations.sweep(40_000), 40_000)
  t.equal(core.state.flows.usesOfLocal(3), 0)
  t.end()
})

void t.test('an address that clients have sent to is one of ours', t => {
  const { core, send } = rig()
  core.state.ownSources.setDataPorts([7777])
  t.equal(send({ data: 'x' }, 0, { port: 7777 }), FORWARD)
  core.operations.endSession(0, 0)
  core.state.locals.intern(addressWords('192.0.2.7')!, 0)
  t.equal(send({ data: 'x' }, 0, { port: 7777 }), DropReason.sourcePort)
  t.end()
})
