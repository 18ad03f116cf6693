// The host of a shard in the main thread keeps time for those who wait, and for nobody else.
import t from 'tap'
import { configFrom } from '#testkit/config-from.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { markedToken, TOKEN_KEY } from '#testkit/objects/marked-token.js'
import { addressWords } from '#wire/address.js'
import { HELD } from '../../../src/core/datagrams/packet-path.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import { ShardBody } from '../../../src/shards/body/shard-body.js'
import { LocalHost } from '../../../src/shards/hosts/local-shard.js'
import { testOptions } from '../../core/core-driver.js'

const config = configFrom('inventory: {provider: file, path: .}\ndataPorts: [{name: game, port: 1}, {name: voice, port: 2}]')
const client = addressWords('192.0.2.7')!

async function setUp () {
  const clock = createFakeClock(1000)
  const ids: number[] = []
  const core = testOptions({ sharing: { follow: false, firstAskId: 0, askIdStep: 1 }, limits: { storeDeadlineMs: 250 } })
  const body = new ShardBody({ start: { config, stateStart: undefined, isTracing: false }, core, clock, voice: { log: () => {}, publish: event => { if (event.type === 'asked') ids.push(event.id) } }, storage: undefined })
  body.attach({ dataPorts: [], upstreamSockets: () => 0, receiveDrops: () => [], sendHeld: () => undefined, flushHeld: () => undefined, sweep: function * () { return undefined } })
  const host = new LocalHost(body, clock)
  await host.call('setTokenKeys', [TOKEN_KEY])
  await host.call('setEventKinds', ['asked'])
  await host.call('openAsks', true)
  const ask = (port: number): void => {
    const bytes = Buffer.from(markedToken(`${port}`))
    if (body.core.packets.fromClient(0, client, port, bytes, false, clock.now()) !== HELD) throw new Error('not held')
  }
  const late = (): number => body.core.state.counters.dropped[DropReason.storeLate]!
  return { clock, host, core: body.core, ask, asked: () => ids, late }
}

void t.test('there is a timer while somebody waits, one for all of them', async t => {
  const { clock, host, ask, asked, late } = await setUp()
  t.equal(clock.pending(), 0)
  ask(1)
  t.equal(clock.pending(), 1)
  clock.advance(100)
  for (let port = 2; port <= 30; port++) ask(port)
  t.equal(clock.pending(), 1)
  clock.advance(149)
  t.equal(late(), 0)
  clock.advance(1)
  t.equal(late(), 1)
  t.equal(clock.pending(), 1)
  clock.advance(100)
  t.equal(late(), 30)
  t.equal(clock.pending(), 0)
  ask(1)
  t.equal(clock.pending(), 1)
  await host.call('answerAsks', [{ id: asked().at(-1)!, verdict: 'late' }])
  t.equal(clock.pending(), 0, 'answered: nobody is waited for')
})

void t.test('who waits is settled in the next turns when control goes away, and after a close by nobody', async t => {
  const { clock, host, core, ask, late } = await setUp()
  for (let port = 1; port <= 40; port++) ask(port)
  await host.call('openAsks', false)
  t.ok(late() < 40, 'datagrams have their turn in between')
  clock.advance(0)
  t.equal(late(), 40)
  t.equal(clock.pending(), 0)
  await host.call('openAsks', true)
  ask(1)
  host.close()
  t.equal(clock.pending(), 0)
  t.equal(core.asks.heldCount, 1)
})
