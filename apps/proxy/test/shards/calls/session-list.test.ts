// Sessions of several shards as one list: filtered first, cut into pages afterwards.
import t from 'tap'
import type { Session } from '#rpc/contract.js'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { createCore } from '../../../src/core/core.js'
import { listSessions, type SessionListQuery } from '../../../src/shards/calls/session-list.js'
import { sessionIdPrefix } from '../../../src/shards/calls/session-id.js'
import type { Shard } from '../../../src/shards/calls/shard.js'
import { Shards } from '../../../src/shards/shards.js'
import { Translator } from '../../../src/shards/calls/translate.js'
import { servers, silentObserver, testOptions } from '../../core/core-driver.js'

const SHARDS = 3
const SESSIONS = 60

function setUp () {
  const clock = createFakeClock()
  const translator = new Translator(['game', 'voice'])
  const cores = Array.from({ length: SHARDS }, (_, shard) => createCore(testOptions({ sessionIdPrefix: sessionIdPrefix(shard), slice: { looks: 7, changes: 2 } }), silentObserver))
  for (const core of cores) core.operations.setDefaultTargets([servers.A])
  for (let client = 0; client < SESSIONS; client++) {
    const core = cores[client % SHARDS]!
    core.packets.fromClient(0, addressWords(client === 7 ? '2001:db8::7' : `192.0.2.${client}`)!, 5000 + client, Buffer.from('x'), false, clock.now())
    if (client % 15 === 0) core.operations.moveSession(core.state.flows.session(core.packets.flow), servers.B, clock.now())
  }
  const shards = new Shards(cores.map((core): Shard => ({
    dataPorts: [],
    call: (async (_name: string, query: SessionListQuery) => await Promise.resolve(whole(listSessions(core, translator, query, clock), clock.now()))) as unknown as Shard['call'],
    close: async () => {}
  })), undefined, clock)
  const clients = async (query: SessionListQuery): Promise<string[]> => (await shards.listSessions(query)).sessions.map(({ client }) => client)
  return { clock, cores, shards, clients }
}

void t.test('a client is found in whatever shard it is, on the first page', async t => {
  const { shards, clients } = setUp()
  for (const client of [0, 1, 2, 58, 59]) {
    t.same(await clients({ client: `192.0.2.${client}` }), [`192.0.2.${client}:${5000 + client}`])
    t.same(await clients({ client: `192.0.2.${client}:${5000 + client}` }), [`192.0.2.${client}:${5000 + client}`])
    t.match(await shards.listSessions({ client: `192.0.2.${client}`, limit: 1 }), { total: 1, nextCursor: undefined })
  }
  for (const spelling of ['2001:db8::7', '2001:DB8:0::7', '[2001:db8::7]:5007', '[2001:db8:0:0::7]:5007']) t.same(await clients({ client: spelling }), ['[2001:db8::7]:5007'], spelling)
  for (const nobody of ['192.0.2.1:1', '192.0.2.99', '[2001:db8::7]:1', 'nobody', '192.0.2.1:x', '', '2001:db8::7:5007']) t.same(await shards.listSessions({ client: nobody }), { sessions: [], total: 0 }, nobody)
})

void t.test('a target is found with all its sessions, page by page, each once; the total counts those that match', async t => {
  const { shards, clients, cores } = setUp()
  for (const target of ['B', servers.B.address, `${servers.B.address}:${servers.B.ports[0]}`]) {
    t.same((await clients({ target })).sort(), [0, 15, 30, 45].map(client => `192.0.2.${client}:${5000 + client}`), target)
  }
  const first = await shards.listSessions({ target: 'B', limit: 3 })
  t.match(first, { sessions: { length: 3 }, total: 4 })
  // One that was shown ends: those that stay are shown once all the same.
  const shown = cores[0]!
  shown.operations.endSession(shown.operations.slotOf(first.sessions[0]!.id, 0), 0)
  const second = await shards.listSessions({ target: 'B', limit: 3, cursor: first.nextCursor! })
  t.match(second, { sessions: { length: 1 }, total: 3, nextCursor: undefined })
  t.same(await shards.listSessions({ target: 'B', client: '192.0.2.1' }), { sessions: [], total: 0 }, 'both must fit')
})

void t.test('pages without a filter are full, and the last one has no cursor', async t => {
  const { shards } = setUp()
  const pages: Session[][] = []
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const { sessions, total, nextCursor }: Awaited<ReturnType<typeof shards.listSessions>> = await shards.listSessions({ limit: 20, cursor })
    t.equal(total, SESSIONS)
    pages.push(sessions)
    cursor = nextCursor
  }
  t.same(pages.map(({ length }) => length), [20, 20, 20])
  t.equal(new Set(pages.flat().map(({ id }) => id)).size, SESSIONS)
})

void t.test('one that is idle too long is not there, swept or not', async t => {
  const { shards, clock, cores } = setUp()
  clock.advance(300_001)
  cores[0]!.packets.fromClient(0, addressWords('192.0.2.0')!, 5000, Buffer.from('x'), false, clock.now())
  t.match(await shards.listSessions({}), { sessions: { length: 1 }, total: 1 })
  t.same(await shards.listSessions({ client: '192.0.2.1:5001' }), { sessions: [], total: 0 })
})
