import t from 'tap'
import { ok } from '#core/result.js'
import { startRig } from '#testkit/control-rig.js'
import { StoreTwin } from '#testkit/store/store-twin.js'

void t.test('a director that starts without the store tells its proxy no key', async t => {
  const { proxy } = await startRig(t, {
    openStore: clock => {
      const twin = new StoreTwin({ clock, random: () => 0 })
      twin.goDown()
      return async ({ replica, deadlineMs, events }) => await Promise.resolve(ok(twin.open(replica, events, deadlineMs)))
    }
  })
  t.equal(proxy.tokenKeys, undefined, 'by the key of this life alone, tokens of all others would be forged')
})
