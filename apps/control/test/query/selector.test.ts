// Selections over an inventory in memory: which failure is told when, in which words, and agreement with a naive filter.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { Config, Selection } from '#config/schema.js'
import type { Inventory, KubeObject } from '../../src/inventory/objects/inventory.js'
import { createStore } from '../../src/inventory/store/store.js'
import { createBalancer } from '../../src/query/balancer.js'
import { createSelector, type Selector, type SelectorDeps } from '../../src/query/selector.js'
import { createTargetPolicy, type TargetPolicy } from '../../src/targets/target-policy.js'
import { gameServer, mapping } from '../inventory/kube-objects.js'

interface Options {
  readonly config?: Partial<Config>
  readonly synced?: boolean
  readonly opensNamespaces?: boolean
  readonly policy?: TargetPolicy
}

function inventoryOf (objects: readonly KubeObject[], synced: boolean): Inventory {
  const store = createStore(['gameserver', 'lobby'], new Map([['gameserver', ['status.state']]]))
  store.replace(new Map([['gameserver', objects]]))
  return { ...store, status: () => ({ synced, ageMs: 0, faults: [] }), unready: () => synced ? undefined : 'Not yet.', close: async () => {} }
}

const noNames = { addressesOf: () => undefined, isSettled: () => false, version: 0 }

function selectorOver (objects: readonly KubeObject[], { config = {}, synced = true, opensNamespaces = true, policy = createTargetPolicy({ ownAddresses: [], ownPorts: [] }) }: Options = {}): Selector {
  const defaults: SelectorDeps['config'] = {
    resourceQueryMapping: { gameserver: mapping(), lobby: mapping({ resource: 'lobbies' }) },
    dataPorts: [{ name: 'default', port: 7777, protocol: 'udp' }]
  }
  return createSelector({ config: { ...defaults, ...config }, inventory: inventoryOf(objects, synced), opensNamespaces, policy, names: noNames })
}

const games = { resourceType: 'gameserver', namespace: 'games' }

// Names of what is found, or the code and the words of the failure.
function outcome (selector: Selector, selection: Partial<Selection>): string {
  const found = selector.select({ ...games, ...selection })
  return found.ok ? found.value.map(({ object }) => object.metadata.name).join(' ') : `${found.error.code} ${found.error.detail}`
}

const fleet = [
  gameServer('c', { labels: { map: 'dust' }, annotations: { open: 'yes', players: '3' } }, { state: 'Allocated' }),
  gameServer('a', { labels: { map: 'dust', tier: 'gold' }, annotations: { open: 'yes' } }, { players: { current: 0, full: false } }),
  gameServer('b', { labels: { map: 'aztec' } }, { players: { current: 5, full: true } }),
  gameServer('d', { labels: { map: 'dust' }, deletionTimestamp: '2026-01-01T00:00:00Z' }, { state: 'Allocated' }),
  gameServer('e', { labels: { map: 'inferno' } }, { address: '' }),
  gameServer('f', { labels: { map: 'inferno' } }, { address: '127.0.0.1' }),
  gameServer('g', { labels: { map: 'inferno' } }, { ports: [{ name: 'default', port: 0 }] }),
  gameServer('h', { labels: { map: 'train' } }, { address: '' })
]

void t.test('labels, then status, then annotations, in the order of the inventory', async t => {
  const selector = selectorOver(fleet)
  const status = (jsonPath: string, ...expectedValues: string[]): Partial<Selection> => ({ statusQuery: { jsonPath, expectedValues } })
  const table: ReadonlyArray<readonly [description: string, selection: Partial<Selection>, names: string]> = [
    ['everything usable', {}, 'a b c'],
    ['empty selectors', { labelSelector: {}, annotationSelector: {} }, 'a b c'],
    ['a label', { labelSelector: { map: 'dust' } }, 'a c'],
    ['two labels', { labelSelector: { map: 'dust', tier: 'gold' } }, 'a'],
    ['a state', status('status.state', 'Allocated'), 'c'],
    ['any of several states', status('status.state', 'Allocated', 'Ready'), 'a b c'],
    ['a number', status('status.players.current', '0'), 'a'],
    ['a boolean', status('status.players.full', 'true'), 'b'],
    ['any node', status('status.ports[*].port', '1', '7777'), 'a b c'],
    ['an annotation', { annotationSelector: { open: 'yes' } }, 'a c'],
    ['all of it', { labelSelector: { map: 'dust' }, ...status('{.status.state}', 'Allocated'), annotationSelector: { open: 'yes', players: '3' } }, 'c']
  ]
  for (const [description, selection, names] of table) t.equal(outcome(selector, selection), names, description)
  const found = selector.select({ ...games, labelSelector: { tier: 'gold' } })
  t.strictSame(found.ok && found.value[0]?.target, { key: 'gameserver/games/a', address: '10.0.0.1', ports: { default: 7777 } })
})

void t.test('who wants one candidate looks at no more than it takes', async t => {
  let checks = 0
  const policy: TargetPolicy = {
    check: target => {
      checks++
      return createTargetPolicy({ ownAddresses: [], ownPorts: [] }).check(target)
    }
  }
  const objects = Array.from({ length: 500 }, (_, index) => gameServer(`s${String(index).padStart(3, '0')}`, {}, index < 3 ? { address: '127.0.0.1' } : {}))
  const selector = selectorOver(objects, { policy })
  const { wanted, choose } = createBalancer({ type: 'first', overlap: 0 }, { loadOf: () => 0, random: () => 0 })
  const first = selector.select(games, wanted)
  t.equal(first.ok && choose(first.value)?.object.metadata.name, 's003')
  t.equal(checks, 4)
  const all = selector.select(games, createBalancer({ type: 'leastSessions', overlap: 0 }, { loadOf: () => 0, random: () => 0 }).wanted)
  t.equal(all.ok && all.value.length, 497)
  t.equal(checks, 500)
})

void t.test('nothing found is explained without an address', async t => {
  const selector = selectorOver(fleet)
  const allocated = { jsonPath: 'status.state', expectedValues: ['Allocated'] }
  const table: ReadonlyArray<readonly [selection: Partial<Selection>, detail: string]> = [
    [{ resourceType: 'lobby' }, 'No object of this type in this namespace.'],
    [{ labelSelector: { map: 'none' } }, 'No object of this type in this namespace matches the labels.'],
    [{ labelSelector: { map: 'aztec' }, statusQuery: allocated }, '1 object of this type matches the labels, none matches the status query.'],
    [{ statusQuery: { ...allocated, expectedValues: ['Gone'] }, annotationSelector: { open: 'yes' } }, '8 objects of this type, none matches the status query.'],
    [{ labelSelector: { map: 'dust' }, statusQuery: allocated, annotationSelector: { open: 'no' } }, '3 objects of this type match the labels, 2 also the status query, none matches the annotations.'],
    [{ annotationSelector: { toString: 'x' } }, '8 objects of this type, none matches the annotations.'],
    [{ labelSelector: { map: 'inferno' } }, '3 objects of this type match the labels, none is usable: 1 without a usable address, 1 outside of the allowed targets, 1 without a usable port.'],
    [{ labelSelector: { map: 'train' } }, '1 object of this type matches the labels, none is usable: 1 without a usable address.']
  ]
  for (const [selection, detail] of table) {
    t.equal(outcome(selector, { namespace: 'games', ...selection }), `NO_MATCHING_RESOURCE ${detail}`)
    t.notMatch(detail, /127\.0/)
  }
  const dying = selectorOver([gameServer('d', { deletionTimestamp: '2026-01-01T00:00:00Z' })])
  t.equal(outcome(dying, {}), 'NO_MATCHING_RESOURCE 1 object of this type, none is usable: 1 being deleted.')
})

void t.test('what a caller may not ask is told before what there is', async t => {
  const selector = selectorOver(fleet, { config: { namespaces: ['games'] } })
  t.match(outcome(selector, { resourceType: 'server' }), /^UNKNOWN_RESOURCE_TYPE /)
  t.match(outcome(selector, { resourceType: 'constructor' }), /^UNKNOWN_RESOURCE_TYPE /)
  t.match(outcome(selector, { resourceType: '(services)' }), /^UNKNOWN_RESOURCE_TYPE /)
  t.match(outcome(selector, { namespace: 'other' }), /^NAMESPACE_NOT_ALLOWED /)
  t.notMatch(outcome(selectorOver(fleet, { config: { namespaces: ['*'] } }), { namespace: 'other' }), /^NAMESPACE_NOT_ALLOWED /)
  const broken = selector.select({ ...games, statusQuery: { jsonPath: 'status[', expectedValues: ['x'] } })
  t.match(broken, { ok: false, error: { code: 'INVALID_JSON_PATH', position: 7, detail: /^Expected an index/ } })
  const unsynced = selectorOver([], { synced: false })
  t.match(outcome(unsynced, {}), /^INVENTORY_NOT_READY /, 'whether the namespace is open is not known yet')
  t.match(outcome(unsynced, { resourceType: 'server' }), /^UNKNOWN_RESOURCE_TYPE /)
})

void t.test('the namespaces that queries may name', async t => {
  const objects = [gameServer('a'), gameServer('b', { namespace: 'other' })]
  const defaultEndpoint = { ...games }
  const table: ReadonlyArray<readonly [description: string, config: Partial<Config>, namespace: string, isOpen: boolean]> = [
    ['files: where objects are', {}, 'other', true],
    ['files: where none are', {}, 'empty', false],
    ['files: the default endpoint\'s', { defaultEndpoint: { ...games, namespace: 'empty' } }, 'empty', true],
    ['files: a list', { namespaces: ['games'] }, 'other', false],
    ['files: an empty list', { namespaces: [] }, 'games', false],
    ['kubernetes: the default endpoint\'s', { defaultEndpoint }, 'games', true],
    ['kubernetes: no other', { defaultEndpoint }, 'other', false],
    ['kubernetes: none at all', {}, 'games', false],
    ['kubernetes: a list', { defaultEndpoint, namespaces: ['other'] }, 'other', true],
    ['kubernetes: a list without the default endpoint\'s', { defaultEndpoint, namespaces: ['other'] }, 'games', false]
  ]
  for (const [description, config, namespace, isOpen] of table) {
    const selector = selectorOver(objects, { config, opensNamespaces: description.startsWith('files') })
    const isRefused = outcome(selector, { namespace }).startsWith('NAMESPACE_NOT_ALLOWED')
    t.equal(isRefused, !isOpen, description)
    const resolved = selector.resolve({ ...games, namespace, name: 'x' })
    t.equal(!resolved.ok && resolved.error.code === 'NAMESPACE_NOT_ALLOWED', !isOpen, `${description}, by name`)
  }
  const selector = selectorOver(objects, { config: { namespaces: ['other'], defaultEndpoint } })
  t.ok(selector.select(defaultEndpoint).ok, 'the default endpoint itself is the operator\'s')
})

void t.test('one object by its name', async t => {
  const selector = selectorOver(fleet)
  const resolve = (name: string, resourceType = 'gameserver'): string => {
    const resolved = selector.resolve({ resourceType, namespace: 'games', name })
    return resolved.ok ? resolved.value.target.key : `${resolved.error.code} ${resolved.error.detail}`
  }
  t.equal(resolve('a'), 'gameserver/games/a')
  t.equal(resolve('z'), 'NO_MATCHING_RESOURCE There is no object of this name.')
  t.equal(resolve('d'), 'NO_MATCHING_RESOURCE The object is not usable: being deleted.')
  t.equal(resolve('e'), 'NO_MATCHING_RESOURCE The object is not usable: without a usable address.')
  t.match(resolve('a', 'server'), /^UNKNOWN_RESOURCE_TYPE/)
})

void t.test('an object is looked at again: it still matches, or it does not', async t => {
  const selector = selectorOver(fleet)
  const name = (selection: Partial<Selection>, name: string): string | undefined => selector.recheck({ ...games, ...selection }, name)?.target.key
  t.equal(name({}, 'a'), 'gameserver/games/a')
  t.equal(name({ labelSelector: { map: 'dust' } }, 'a'), 'gameserver/games/a')
  t.equal(name({ labelSelector: { map: 'dust' } }, 'b'), undefined, 'another label')
  t.equal(name({ annotationSelector: { open: 'yes' } }, 'b'), undefined, 'no annotation')
  t.equal(name({ statusQuery: { jsonPath: 'status.state', expectedValues: ['Allocated'] } }, 'a'), undefined, 'another state')
  t.equal(name({ statusQuery: { jsonPath: 'status[', expectedValues: ['x'] } }, 'a'), undefined)
  for (const unusable of ['d', 'e', 'f', 'z']) t.equal(name({}, unusable), undefined, unusable)
  t.equal(name({ resourceType: 'server' }, 'a'), undefined)
})

void t.test('any selection finds what a naive filter finds', async t => {
  const value = fc.constantFrom<string[]>('1', '2')
  const texts = fc.dictionary(fc.constantFrom('map', 'tier'), value, { maxKeys: 2 })
  const server = fc.record({
    name: fc.stringMatching(/^[a-e]{1,2}$/),
    labels: texts,
    annotations: texts,
    state: fc.oneof(value, fc.integer({ min: 1, max: 2 }), fc.constantFrom(null, true)),
    isDeleting: fc.boolean(),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '', '127.0.0.1')
  })
  const servers = fc.uniqueArray(server, { maxLength: 15, selector: ({ name }) => name })
  const selection = fc.record({ labels: texts, annotations: texts, states: fc.array(value, { minLength: 1, maxLength: 2 }) }, { requiredKeys: [] })
  let hits = 0
  fc.assert(fc.property(servers, selection, (rows, { labels, annotations, states }) => {
    const selector = selectorOver(rows.map(({ name, labels, annotations, state, isDeleting, address }) =>
      gameServer(name, { labels, annotations, ...isDeleting ? { deletionTimestamp: 'now' } : {} }, { state, address })))
    const bears = (texts: Record<string, string>, wanted = {}): boolean => Object.entries(wanted).every(([name, text]) => texts[name] === text)
    const naive = rows
      .filter(row => bears(row.labels, labels) && bears(row.annotations, annotations))
      .filter(row => states === undefined || (row.state !== null && states.includes(String(row.state))))
      .filter(row => !row.isDeleting && row.address.startsWith('10.'))
      .map(({ name }) => name)
      .sort()
    if (naive.length > 0) hits++
    const selection = {
      ...labels === undefined ? {} : { labelSelector: labels },
      ...annotations === undefined ? {} : { annotationSelector: annotations },
      ...states === undefined ? {} : { statusQuery: { jsonPath: 'status.state', expectedValues: states } }
    }
    const found = outcome(selector, selection)
    const rechecked = rows.filter(({ name }) => selector.recheck({ ...games, ...selection }, name) !== undefined).map(({ name }) => name).sort()
    if (!isDeepStrictEqual(rechecked, naive)) return false
    return naive.length > 0 ? found === naive.join(' ') : /^(?:NO_MATCHING_RESOURCE|NAMESPACE_NOT_ALLOWED)/.test(found)
  }), { numRuns: 1000 })
  t.ok(hits > 50, `${hits} selections found something`)
})
