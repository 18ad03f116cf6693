// The tokens of several shards, put together from what each of them wrote.
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../src/core/core.js'
import { CONSUMED } from '../../src/core/datagrams/packet-path.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { StateLog } from '../../src/state/state-log.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { tokensIn } from './tokens-in.js'

const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
const names = dataPorts.map(({ name }) => name)

for (const redeemer of [0, 1]) {
  void t.test(`a token that shard ${redeemer} redeemed and control revoked is void after a restart`, t => {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const claims = new Int32Array(4)
    const shards = [0, 1].map(shard => {
      const core = createCore({ ...testOptions(), claims }, silentObserver)
      const log = new StateLog({
        storage,
        state: core.state,
        clock,
        header: { run: 'one', bootId: clock.boot()?.id, shard, shards: 2, generation: 1, dataPorts },
        onHealth: ({ error }) => { if (error !== undefined) throw error }
      })
      log.open()
      core.operations.grant({ token: tokenOf('p'), target: servers.A, ttlMs: 30_000, consumed: 0, claim: 0 }, clock.now())
      return { core, log }
    })
    const { core } = shards[redeemer]!
    const flush = (): void => { for (const { log } of shards) log.flush() }
    const saved = () => tokensIn(loadSavedState(storage, names), clock)

    flush()
    t.equal(core.packets.fromClient(0, addressWords('192.0.2.7')!, 1000, bytesOf({ token: 'p' }), false, clock.now()), CONSUMED)
    flush()
    t.match(saved(), { tokens: [{ token: tokenOf('p'), consumed: 0b01 }] })

    for (const { core } of shards) core.operations.revoke(tokenOf('p'))
    flush()
    t.strictSame(saved(), { tokens: [], withdrawn: [] })
    t.end()
  })
}
