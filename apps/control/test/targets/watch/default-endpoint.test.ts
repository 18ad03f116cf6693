// How often the default endpoint is evaluated, and when the proxy hears of it.
import pino from 'pino'
import t, { type Test } from 'tap'
import type { Target } from '#rpc/contract.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { followDefaultEndpoint, MAX_PAUSE_MS, PAUSE_PER_COST, type DefaultEndpoint } from '../../../src/targets/watch/default-endpoint.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { createStore, type Store } from '../../../src/inventory/store/store.js'
import { createBalancer } from '../../../src/query/balancer.js'
import { createSelector } from '../../../src/query/selector.js'
import { createTargetPolicy } from '../../../src/targets/target-policy.js'
import { gameServer, mapping } from '../../inventory/kube-objects.js'

const config = {
  resourceQueryMapping: { gameserver: mapping(), lobby: mapping() },
  dataPorts: [{ name: 'default', port: 7777, protocol: 'udp' as const }],
  inventory: { provider: 'file' as const, path: '.' },
  defaultEndpoint: { resourceType: 'gameserver', namespace: 'games' }
}

interface Followed {
  readonly endpoint: DefaultEndpoint
  readonly store: Store
  /** The lists that the proxy was told, as names. */
  readonly told: string[]
  readonly evaluations: () => number
  readonly pass: (ms: number) => void
}

/** An evaluation takes `costMs`. */
function follow (t: Test, costMs: number): Followed {
  const fake = createFakeClock()
  const store = createStore(['gameserver', 'lobby', SERVICES_TYPE])
  store.put(['gameserver'], gameServer('a'))
  let evaluations = 0
  const clock = { ...fake, now: () => fake.now() + evaluations * costMs }
  const inventory = {
    ...store,
    find: (...asked: Parameters<Store['find']>) => {
      evaluations++
      return store.find(...asked)
    },
    status: () => ({ synced: true, ageMs: 0, faults: [] }),
    unready: () => undefined,
    close: async () => { await Promise.resolve() }
  }
  const selector = createSelector({ config, inventory, opensNamespaces: true, policy: createTargetPolicy({ ownAddresses: [], ownPorts: [] }), names: { addressesOf: () => undefined, isSettled: () => false, version: 0 } })
  const told: string[] = []
  const endpoint = followDefaultEndpoint({
    config,
    inventory,
    selector,
    balancer: createBalancer({ type: 'leastSessions', overlap: 0 }, { loadOf: () => 0, random: () => 0 }),
    clock,
    log: pino({ level: 'silent' }),
    setTargets: (targets: readonly Target[]) => { told.push(targets.map(({ key }) => key.replace(/.*\//, '')).join(' ')) }
  })
  t.teardown(() => {
    endpoint.close()
    if (fake.pending() > 0) throw new Error('A timer is left.')
  })
  return { endpoint, store, told, evaluations: () => evaluations, pass: ms => { fake.advance(ms) } }
}

void t.test('what costs nothing is evaluated with every change, and told when it makes a difference', async t => {
  const { endpoint, store, told, evaluations } = follow(t, 0)
  t.strictSame(told, ['a'])
  store.put(['gameserver'], gameServer('b'))
  t.strictSame(told, ['a', 'a b'])
  t.equal(endpoint.count(), 2)
  store.put(['gameserver'], gameServer('b', { labels: { players: '1' } }))
  t.equal(evaluations(), 3)
  t.strictSame(told, ['a', 'a b'], 'the same targets')
  store.put(['gameserver'], gameServer('b', {}, { address: '10.0.0.99' }))
  t.strictSame(told, ['a', 'a b', 'a b'], 'one of them elsewhere')
  store.put(['lobby'], gameServer('c'))
  store.put(['gameserver'], gameServer('c', { namespace: 'other' }))
  t.equal(evaluations(), 4, 'others do not concern it')
  store.put([SERVICES_TYPE], gameServer('a'))
  t.equal(evaluations(), 5, 'Services may')
  store.replace(new Map([['gameserver', []]]))
  t.strictSame(told.at(-1), '')
  t.equal(endpoint.count(), 0)
})

void t.test('what takes long is evaluated seldom, once for all that changed meanwhile', async t => {
  const { store, told, evaluations, pass } = follow(t, 4)
  for (const name of ['b', 'c', 'd']) store.put(['gameserver'], gameServer(name))
  t.equal(evaluations(), 1)
  pass(4 * PAUSE_PER_COST - 1)
  t.equal(evaluations(), 1)
  pass(1)
  t.equal(evaluations(), 2)
  t.strictSame(told, ['a', 'a b c d'])
  pass(4 * PAUSE_PER_COST)
  t.equal(evaluations(), 2, 'nothing changed')
  store.put(['gameserver'], gameServer('e'))
  t.equal(evaluations(), 3, 'at once after a pause')
})

void t.test('however long it takes, it is evaluated again within half a second of a change', async t => {
  const { store, evaluations, pass } = follow(t, 1000)
  store.put(['gameserver'], gameServer('b'))
  pass(MAX_PAUSE_MS - 1)
  t.equal(evaluations(), 1)
  pass(1)
  t.equal(evaluations(), 2)
  store.put(['gameserver'], gameServer('c'))
})

void t.test('who waits for a change hears when an evaluation that began after it is over', async t => {
  const { endpoint, store, told, pass } = follow(t, 0)
  const seen: string[] = []
  const wait = (name: string): void => { void endpoint.upToDate().then(() => { seen.push(name) }) }
  const settle = async (): Promise<void> => { for (let turn = 0; turn < 10; turn++) await Promise.resolve() }
  wait('nothing')
  await settle()
  t.strictSame(seen, ['nothing'], 'at once')
  store.replace(new Map([['gameserver', Array.from({ length: 1200 }, (_, at) => gameServer(`s${at}`))]]))
  wait('many')
  await settle()
  store.remove(['gameserver'], 'games', 's7')
  wait('one of them is gone')
  await settle()
  t.strictSame(seen, ['nothing'])
  while (seen.length < 2) {
    pass(1)
    await settle()
  }
  t.strictSame(seen, ['nothing', 'many'])
  while (seen.length < 3) {
    pass(1)
    await settle()
  }
  t.equal(endpoint.count(), 1199)
  t.notMatch(told.at(-1), /s7( |$)/)
})
