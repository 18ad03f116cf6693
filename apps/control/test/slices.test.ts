// However many objects, sessions or tokens there are: what one turn of the event loop does with them is bounded. Counted, not timed.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import t from 'tap'
import type { Target } from '#rpc/contract.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import type { Token } from '#wire/token.js'
import { Backlog } from '../src/targets/watch/backlog.js'
import type { ChangeListener, InventoryChange, KubeObject } from '../src/inventory/objects/inventory.js'
import { createStore } from '../src/inventory/store/store.js'
import { createBalancer } from '../src/query/balancer.js'
import { SLICE_WORK } from '../src/query/search.js'
import { createSelector, type Selector } from '../src/query/selector.js'
import { listed } from '../src/http/routes/targets.js'
import { followDefaultEndpoint } from '../src/targets/watch/default-endpoint.js'
import { TargetWatch, type TargetWatchDeps } from '../src/targets/watch/target-watch.js'
import type { UnredeemedToken } from '../src/tokens/token-registry.js'
import { gameServer, mapping } from './inventory/kube-objects.js'

const MANY = 10_000
/** What one turn may do of anything. */
const MOST = 500
const fleet = (state: string): KubeObject[] => Array.from({ length: MANY }, (_, at) => gameServer(`s${at}`, {}, { state }))
const targetOf = (name: string): Target => ({ key: `gameserver/games/${name}`, address: '10.0.0.1', ports: { default: 7777 } })

/** What a slice did, slice by slice; `count` starts over with each. */
function slicesOf<Value> (slices: Generator<undefined, Value, number>, count: () => number): { readonly counts: number[], readonly value: Value } {
  const counts: number[] = []
  for (;;) {
    const slice = slices.next(0)
    counts.push(count())
    if (slice.done === true) return { counts, value: slice.value }
  }
}

void t.test('a store is replaced in slices, and readers see what there was or what there is', async t => {
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', fleet('Ready').slice(1)]]))
  let looked = 0
  let told = 0
  const states = new Set<string>()
  const content = function * (): Iterable<KubeObject> {
    for (const object of fleet('Allocated').slice(0, -1)) {
      looked++
      yield object
    }
  }
  store.onChange(changes => { told += changes.length })
  const { counts, value } = slicesOf(store.replaceInSlices(new Map([['gameserver', content()]])), () => {
    const count = Math.max(looked, told)
    looked = told = 0
    states.add(`${JSON.stringify([...new Set([...store.find('gameserver', 'games')].map(({ status }) => status))])} ${[...store.sizes().values()].join()} ${store.get('gameserver', 'games', 's0') !== undefined}`)
    return count
  })
  t.ok(value)
  t.ok(counts.length > 4 * MANY / MOST, 'read, compared both ways, and told')
  t.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one slice`)
  t.equal(counts.reduce((sum, count) => sum + count), 2 * MANY - 1)
  t.equal(states.size, 2, [...states].join('\n').slice(0, 500))
})

void t.test('targets are listed in slices', async t => {
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', fleet('Ready')]]))
  let looked = 0
  const selector = {
    candidateOf: () => (object: KubeObject) => {
      looked++
      return { ok: true, value: { object, target: targetOf(object.metadata.name) } }
    },
    search: function * () { return { ok: true, value: [] } }
  } as unknown as Selector
  const slices = listed({ config: { resourceQueryMapping: { gameserver: mapping() } }, inventory: store, selector })
  const { counts, value } = slicesOf(slices, () => {
    const count = looked
    looked = 0
    return count
  })
  t.equal(value.targets.length, MANY)
  t.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one slice`)
})

interface Watched {
  readonly watch: TargetWatch
  readonly change: ChangeListener
  /** Objects looked at, tokens judged and work spent since the last time. */
  readonly done: () => { readonly looks: number, readonly tokens: number }
  readonly withdrawn: Token[]
  /** Lets a turn pass. */
  readonly turn: () => void
  readonly pending: () => number
}

/** A target watch in which every target has sessions, and `tokens` are for the key `gameserver/games/s0`; judging one costs `tokenWork`. */
function watched (tokens: number, tokenWork = 0): Watched {
  const clock = createFakeClock()
  const target = targetOf('s0')
  const unredeemed = Array.from({ length: tokens }, (_, at): UnredeemedToken => ({ token: `token${at}` as Token, target, selection: { resourceType: 'gameserver', namespace: 'games' } }))
  let done = { looks: 0, tokens: 0 }
  let change: ChangeListener = () => undefined
  const withdrawn: Token[] = []
  const deps = {
    inventory: {
      get: () => {
        done.looks++
        return undefined
      },
      unready: () => undefined,
      onChange: (listener: ChangeListener) => {
        change = listener
        return () => undefined
      }
    },
    touched: (told: InventoryChange) => [told],
    holds: () => true,
    selector: {
      candidateOf: () => undefined,
      recheck: (_selection: unknown, _name: string, work: { spend: (cost: number) => void }) => {
        done.tokens++
        work.spend(tokenWork)
        return undefined
      }
    },
    names: { isSettled: () => true },
    registry: { pending: (key: string) => key === target.key ? tokens : 0, unredeemed: () => unredeemed },
    load: { sessions: () => 1 },
    clock,
    withdraw: (dead: readonly Token[]) => { withdrawn.push(...dead) },
    ready: async () => { await new Promise(() => undefined) },
    leave: async () => ({})
  } as unknown as TargetWatchDeps
  const watch = new TargetWatch(deps)
  return {
    watch,
    change: changes => { change(changes) },
    done: () => {
      const { looks, tokens } = done
      done = { looks: 0, tokens: 0 }
      return { looks, tokens }
    },
    withdrawn,
    turn: () => { clock.advance(1) },
    pending: () => clock.pending()
  }
}

/** What each turn did, until there is nothing more to do. */
function turnsOf ({ done, turn, pending }: Watched): Array<ReturnType<Watched['done']>> {
  const turns = [done()]
  while (pending() > 0) {
    turn()
    turns.push(done())
  }
  return turns
}

void t.test('the default endpoint is evaluated some in a turn, and told whole, of what is there in the end', async t => {
  const clock = createFakeClock()
  const store = createStore(['gameserver'])
  const config = { resourceQueryMapping: { gameserver: mapping() }, dataPorts: [{ name: 'default', port: 7777, protocol: 'udp' as const }], defaultEndpoint: { resourceType: 'gameserver', namespace: 'games' } }
  let judged = 0
  const policy = {
    check: () => {
      judged++
      return undefined
    }
  }
  const inventory = { ...store, status: () => ({ synced: true, ageMs: 0, faults: [] }), unready: () => undefined, close: async () => { await Promise.resolve() } }
  const selector = createSelector({ config, inventory, opensNamespaces: true, policy, names: { addressesOf: () => undefined, isSettled: () => false, version: 0 } })
  const told: number[] = []
  const endpoint = followDefaultEndpoint({
    config,
    inventory,
    selector,
    balancer: createBalancer({ type: 'leastSessions', overlap: 0 }, { loadOf: () => 0, random: () => 0 }),
    clock,
    log: { info: () => undefined, warn: () => undefined } as unknown as BaseLogger,
    setTargets: targets => { told.push(targets.length) }
  })
  for (const state of ['Ready', 'Allocated']) {
    store.replace(new Map([['gameserver', fleet(state)]]))
    const counts: number[] = [judged]
    judged = 0
    let isSeen = false
    void endpoint.upToDate().then(() => { isSeen = true })
    await Promise.resolve()
    for (let turn = 0; clock.pending() > 0; turn++) {
      // In the middle of it.
      if (turn === 5 && state === 'Allocated') store.remove(['gameserver'], 'games', 's0')
      if (turn < MANY / MOST - 1) t.equal(isSeen, false)
      clock.advance(1)
      counts.push(judged)
      judged = 0
    }
    t.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one turn`)
    await nextTurn()
    t.equal(isSeen, true)
    t.equal(counts.reduce((sum, count) => sum + count), MANY, 'each once: what did not change is not worked out again')
  }
  t.strictSame(told, [0, MANY, MANY - 1], 'the same targets are not told again')
  endpoint.close()
})

void t.test('objects that change or are counted are judged some in a turn', async t => {
  const changes = fleet('Ready').map((object): InventoryChange => ({ resourceType: 'gameserver', namespace: 'games', name: object.metadata.name, before: object, after: undefined }))
  const begin: ReadonlyArray<readonly [what: string, begin: (rig: Watched) => void]> = [
    ['one call', ({ change }) => { change(changes) }],
    ['many calls of one turn', ({ change }) => { for (const one of changes) change([one]) }],
    ['counts', ({ watch }) => { watch.counted(changes.map(({ name }) => targetOf(name).key)) }]
  ]
  for (const [what, go] of begin) {
    const rig = watched(0)
    go(rig)
    const looks = turnsOf(rig).map(({ looks }) => looks)
    t.ok(Math.max(...looks) <= MOST, `${what}: ${Math.max(...looks)} in one turn`)
    t.equal(looks.reduce((sum, count) => sum + count), MANY, `${what}: and all of them in the end`)
    rig.watch.close()
  }
})

void t.test('tokens of one object are judged some in a turn, fewer if each costs more', async t => {
  const TOKENS = 6000
  for (const [tokenWork, most] of [[0, MOST], [2000, 60], [SLICE_WORK, 1]] as const) {
    const rig = watched(TOKENS, tokenWork)
    rig.watch.counted([targetOf('s0').key])
    const tokens = turnsOf(rig).map(turn => turn.tokens)
    t.ok(Math.max(...tokens) <= most, `work ${tokenWork}: ${Math.max(...tokens)} in one turn`)
    t.equal(rig.withdrawn.length, TOKENS, 'all are withdrawn in the end')
    rig.watch.close()
  }
})

void t.test('a backlog does what a turn may cost, also for who asks often, and nothing once it is closed', async t => {
  const clock = createFakeClock()
  let left = 100
  const backlog = new Backlog(clock, 10, () => left-- > 0 ? 1 : 0)
  for (let asked = 0; asked < 5; asked++) backlog.goOn()
  t.equal(left, 90)
  clock.advance(1)
  t.equal(left, 80)
  backlog.close()
  t.equal(clock.pending(), 0)
  backlog.goOn()
  t.equal(left, 80)
})
