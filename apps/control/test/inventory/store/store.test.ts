// The store against a naive list, and what belongs to which resource type.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { compilePath } from '#jsonpath/compile-path.js'
import type { KubeObject, StatusMatch } from '../../../src/inventory/objects/inventory.js'
import { isOfType, pluralsOf } from '../../../src/inventory/file/assign.js'
import { heldTypes, indexedPaths, SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { createStore } from '../../../src/inventory/store/store.js'
import { gameServer, kubeObject, mapping } from '../kube-objects.js'

const namesOf = (objects: Iterable<KubeObject>): string[] => [...objects].map(({ metadata }) => metadata.name)

void t.test('objects are found by namespace, labels and name, in the order of their names', async t => {
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', [
    gameServer('c', { labels: { map: 'dust', tier: 'gold' } }),
    gameServer('a', { labels: { map: 'dust' } }),
    gameServer('b', { labels: { map: 'aztec' } }),
    gameServer('a', { namespace: 'other' })
  ]]]))
  t.strictSame(namesOf(store.find('gameserver', 'games')), ['a', 'b', 'c'])
  t.strictSame(namesOf(store.find('gameserver', 'games', {})), ['a', 'b', 'c'])
  t.strictSame(namesOf(store.find('gameserver', 'games', { map: 'dust' })), ['a', 'c'])
  t.strictSame(namesOf(store.find('gameserver', 'games', { map: 'dust', tier: 'gold' })), ['c'])
  t.strictSame(namesOf(store.find('gameserver', 'games', { map: 'dust', tier: 'none' })), [])
  t.strictSame(namesOf(store.find('gameserver', 'games', { constructor: 'x' })), [])
  t.strictSame(namesOf(store.find('gameserver', 'none')), [])
  t.strictSame(namesOf(store.find('lobby', 'games')), [])
  t.equal(store.get('gameserver', 'other', 'a')?.metadata.namespace, 'other')
  t.equal(store.get('gameserver', 'other', 'b'), undefined)
  t.equal(store.get('gameserver', 'games', 'aa'), undefined)
  t.strictSame(store.sizes(), new Map([['gameserver', 4]]))
  t.strictSame(store.namespaces(), new Set(['games', 'other']))
})

void t.test('a label whose text looks like another label is not taken for it', async t => {
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', [gameServer('a', { labels: { 'x=y': 'z' } }), gameServer('b', { labels: { x: 'y=z' } })]]]))
  t.strictSame(namesOf(store.find('gameserver', 'games', { x: 'y=z' })), ['b'])
  t.strictSame(namesOf(store.find('gameserver', 'games', { 'x=y': 'z' })), ['a'])
})

const statusMatch = (text: string, ...values: readonly string[]): StatusMatch => {
  const path = compilePath(text)
  if (!path.ok) throw new Error(path.error.message)
  return { path: path.value, values }
}

void t.test('a search by an indexed value looks at no other object', async t => {
  let reads = 0
  const counted = (name: string, state: string, labels: Record<string, string> = {}): KubeObject => {
    const { status, ...object } = gameServer(name, { labels }, { state })
    return Object.defineProperty({ ...object }, 'status', { enumerable: true, get: () => { reads++; return status } })
  }
  const fleet = Array.from({ length: 1000 }, (_, index) => counted(`s${index}`, index % 100 === 0 ? 'Allocated' : 'Ready', { map: 'dust', half: String(index % 2) }))
  for (const [indexPaths, isIndexed] of [[['status.state'], true], [[], false]] as const) {
    const store = createStore(['gameserver'], new Map([['gameserver', indexPaths]]))
    store.replace(new Map([['gameserver', fleet]]))
    const found = (labels: Record<string, string>, status: StatusMatch): number => {
      reads = 0
      return namesOf(store.find('gameserver', 'games', labels, status)).length
    }
    for (const text of ['status.state', '{.status.state}', '$[\'status\'].state']) {
      t.equal(found({}, statusMatch(text, 'Allocated')), 10, text)
      t.equal(reads, isIndexed ? 0 : 1000)
    }
    t.equal(found({ map: 'dust', half: '0' }, statusMatch('status.state', 'Allocated')), 10)
    t.equal(reads, isIndexed ? 0 : 500, 'the rarest of labels and values is where it starts')
    t.equal(found({ half: '1' }, statusMatch('status.state', 'Ready', 'Allocated')), 500)
    t.equal(reads, isIndexed ? 0 : 500, 'here the label')
    t.equal(found({}, statusMatch('status.address', '10.0.0.1')), 1000)
    t.equal(reads, 1000, 'a path that is not indexed')
    reads = 0
    store.find('gameserver', 'games', {}, statusMatch('status.address', '10.0.0.1'))[Symbol.iterator]().next()
    t.equal(reads, 1, 'one by one, as they are asked for')
    t.equal(store.count('gameserver', 'games'), 1000)
    t.equal(store.count('gameserver', 'games', { half: '0' }), 500)
    t.equal(store.count('gameserver', 'games', { half: '0', map: 'dust' }), 500)
    t.equal(store.count('gameserver', 'games', { half: '0', map: 'aztec' }), 0)
    t.equal(store.count('gameserver', 'none'), 0)
    t.equal(store.count('lobby', 'games'), 0)
  }
})

void t.test('what is indexed is what the mapping says, or what the default endpoint asks for', async t => {
  const statusQuery = { jsonPath: 'status.phase', expectedValues: ['Running'] }
  const config = {
    resourceQueryMapping: { a: mapping({ indexPaths: ['status.state', 'spec.x'] }), b: mapping(), c: mapping() },
    defaultEndpoint: { resourceType: 'b', namespace: 'games', statusQuery }
  }
  t.strictSame(indexedPaths(config), new Map([['a', ['status.state', 'spec.x']], ['b', ['status.phase']], ['c', []]]))
  t.strictSame(indexedPaths({ ...config, defaultEndpoint: { resourceType: 'a', namespace: 'games', statusQuery } }).get('a'), ['status.state', 'spec.x'])
  t.strictSame(indexedPaths({ resourceQueryMapping: config.resourceQueryMapping }).get('b'), [])
  t.throws(() => createStore(['a'], new Map([['a', ['a[']]])), /is not a JSONPath/)
})

void t.test('listeners hear of changes alone, after the fact, and until they stop', async t => {
  const store = createStore(['gameserver', 'lobby'])
  const heard: string[][] = []
  const listener = (): void => { heard.push(namesOf(store.find('gameserver', 'games'))) }
  const stop = store.onChange(listener)
  const stopTwin = store.onChange(listener)
  const kept = gameServer('a')
  t.ok(store.replace(new Map([['gameserver', [kept, gameServer('b')]]])))
  t.strictSame(heard, [['a', 'b'], ['a', 'b']], 'both see the new content')
  stopTwin()
  t.notOk(store.replace(new Map([['gameserver', [gameServer('b'), gameServer('a')]]])), 'equal objects in another order')
  t.equal(heard.length, 2)
  t.equal(store.get('gameserver', 'games', 'a'), kept, 'an equal object keeps its identity')
  t.ok(store.replace(new Map([['gameserver', [gameServer('b', {}, { state: 'Allocated' })]]])))
  t.strictSame(heard.at(-1), ['b'])
  t.equal(heard.length, 3)
  stop()
  t.ok(store.replace(new Map([['gameserver', []]])))
  t.equal(heard.length, 3)
  t.strictSame([...store.namespaces()], [], 'a namespace without objects is none')
  t.notOk(store.replace(new Map([['unheld', [kept]]])), 'a type that is not held')
})

void t.test('listeners hear what became of which object', async t => {
  const store = createStore(['gameserver', 'twin'])
  const [a, changedA, b, c] = [gameServer('a'), gameServer('a', {}, { state: 'Allocated' }), gameServer('b'), gameServer('c')]
  let heard: unknown[] = []
  store.onChange(changes => { heard = changes.map(({ resourceType, namespace, name, before, after }) => [`${resourceType}/${namespace}/${name}`, before, after]) })
  store.put(['gameserver', 'twin'], a)
  t.strictSame(heard, [['gameserver/games/a', undefined, a], ['twin/games/a', undefined, a]])
  store.put(['gameserver'], b)
  store.replace(new Map([['gameserver', [changedA, c]]]))
  t.strictSame(heard, [['gameserver/games/a', a, changedA], ['gameserver/games/c', undefined, c], ['gameserver/games/b', b, undefined]])
  store.remove(['gameserver', 'twin'], 'games', 'a')
  t.strictSame(heard, [['gameserver/games/a', changedA, undefined], ['twin/games/a', a, undefined]])
})

void t.test('one object comes, changes and goes without the others', async t => {
  const store = createStore(['gameserver', 'twin'])
  let calls = 0
  store.onChange(() => { calls++ })
  const both = ['gameserver', 'twin']
  t.ok(store.put(both, gameServer('a', { labels: { map: 'dust' } })))
  t.ok(store.put(both, gameServer('b', { labels: { map: 'dust' } })))
  const held = store.get('gameserver', 'games', 'a')
  t.notOk(store.put(both, gameServer('a', { labels: { map: 'dust' } })), 'an equal one')
  t.equal(store.get('gameserver', 'games', 'a'), held)
  t.ok(store.put(both, gameServer('a', { labels: { map: 'aztec' } })))
  t.strictSame(namesOf(store.find('gameserver', 'games', { map: 'dust' })), ['b'], 'its former label is forgotten')
  t.strictSame(namesOf(store.find('twin', 'games', { map: 'aztec' })), ['a'])
  t.strictSame(store.sizes(), new Map([['gameserver', 2], ['twin', 2]]))
  t.notOk(store.remove(both, 'games', 'none'))
  t.notOk(store.remove(both, 'other', 'a'))
  t.notOk(store.put(['unheld'], gameServer('a')))
  t.ok(store.remove(both, 'games', 'a'))
  t.strictSame(namesOf(store.find('gameserver', 'games')), ['b'])
  t.equal(calls, 4, 'once a change, however many types it touched')
})

void t.test('a replacement within a namespace leaves the others alone', async t => {
  const store = createStore(['gameserver'])
  store.replace(new Map([['gameserver', [gameServer('a'), gameServer('b', { namespace: 'other' })]]]))
  t.ok(store.replace(new Map([['gameserver', [gameServer('c')]]]), 'games'))
  t.strictSame(namesOf(store.find('gameserver', 'games')), ['c'])
  t.strictSame(namesOf(store.find('gameserver', 'other')), ['b'])
  t.ok(store.replace(new Map([['gameserver', []]]), 'games'))
  t.strictSame(store.namespaces(), new Set(['other']))
  t.notOk(store.replace(new Map([['gameserver', []]]), 'none'))
})

void t.test('any sequence of replacements and changes leaves what a plain list would hold', async () => {
  const labels = fc.dictionary(fc.constantFrom('map', 'tier'), fc.constantFrom('1', '2'), { maxKeys: 2 })
  const object = fc.record({
    type: fc.constantFrom('gameserver', 'lobby'),
    namespace: fc.constantFrom('games', 'other'),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    labels,
    state: fc.constantFrom('Ready', 'Allocated'),
    tags: fc.array(fc.constantFrom('Ready', 'Allocated', 'x'), { maxLength: 3 })
  })
  const content = fc.uniqueArray(object, { maxLength: 12, selector: ({ type, namespace, name }) => `${type}/${namespace}/${name}` })
  const states = fc.subarray(['Ready', 'Allocated', 'Gone'])
  const edits = fc.array(fc.record({ entry: object, isGone: fc.boolean() }), { maxLength: 8 })
  fc.assert(fc.property(fc.array(content, { minLength: 1, maxLength: 5 }), edits, labels, fc.option(states, { nil: undefined }), fc.boolean(), (contents, edits, wanted, states, isIndexed) => {
    const store = createStore(['gameserver', 'lobby'], isIndexed ? new Map([['gameserver', ['status.tags[*]', 'status.state']]]) : undefined)
    for (const objects of contents) store.replace(byType(objects))
    let naive = contents.at(-1)!
    for (const { entry, isGone } of edits) {
      const { type, namespace, name } = entry
      naive = naive.filter(other => other.type !== type || other.namespace !== namespace || other.name !== name)
      if (isGone) store.remove([type], namespace, name)
      else {
        store.put([type], toObject(entry))
        naive.push(entry)
      }
    }
    return ['gameserver', 'lobby'].every(type => store.sizes().get(type) === naive.filter(entry => entry.type === type).length &&
      ['games', 'other'].every(namespace => {
        const bearers = naive
          .filter(entry => entry.type === type && entry.namespace === namespace)
          .filter(entry => Object.entries(wanted).every(([name, value]) => entry.labels[name] === value))
          .sort((left, right) => left.name < right.name ? -1 : 1)
        const matches = (path: string, texts: (entry: Entry) => readonly string[]): boolean => isDeepStrictEqual(
          [...store.find(type, namespace, wanted, states === undefined ? undefined : statusMatch(path, ...states))],
          bearers.filter(entry => states?.some(state => texts(entry).includes(state)) ?? true).map(toObject)
        )
        return store.count(type, namespace, wanted) === bearers.length && matches('status.state', ({ state }) => [state]) && matches('status.tags[*]', ({ tags }) => tags)
      }))
  }), { numRuns: 500 })

  type Entry = typeof object extends fc.Arbitrary<infer Value> ? Value : never
  function toObject ({ namespace, name, labels, state, tags }: Entry): KubeObject {
    return gameServer(name, { namespace, labels }, { state, tags })
  }
  function byType (entries: readonly Entry[]): Map<string, KubeObject[]> {
    return new Map(['gameserver', 'lobby'].map(type => [type, entries.filter(entry => entry.type === type).map(toObject)]))
  }
})

void t.test('searches among many, while objects come, change and go', async () => {
  const change = fc.record({ number: fc.nat(99), isGone: fc.boolean(), half: fc.nat(1), third: fc.nat(2), state: fc.constantFrom('Ready', 'Allocated') })
  fc.assert(fc.property(fc.array(change, { minLength: 20, maxLength: 120 }), changes => {
    const naive = new Map<string, typeof changes[number]>()
    const store = createStore(['gameserver'], new Map([['gameserver', ['status.state']]]))
    const put = (entry: typeof changes[number]): void => {
      const name = `s${String(entry.number).padStart(2, '0')}`
      if (entry.isGone) {
        naive.delete(name)
        store.remove(['gameserver'], 'games', name)
      } else {
        naive.set(name, entry)
        store.put(['gameserver'], gameServer(name, { labels: { half: String(entry.half), third: String(entry.third) } }, { state: entry.state }))
      }
    }
    for (let number = 0; number < 40; number++) put({ number, isGone: false, half: number % 2, third: number % 3, state: 'Ready' })
    return changes.every(entry => {
      put(entry)
      const { half, third, state } = entry
      const wanted = { half: String(half), third: String(third) }
      const names = (isMatch: (entry: typeof changes[number]) => boolean): string[] => [...naive].filter(([, entry]) => isMatch(entry)).map(([name]) => name).sort()
      const isBearer = (other: typeof entry): boolean => other.half === half && other.third === third
      return isDeepStrictEqual(namesOf(store.find('gameserver', 'games', wanted, statusMatch('status.state', state))), names(other => isBearer(other) && other.state === state)) &&
        isDeepStrictEqual(namesOf(store.find('gameserver', 'games', { half: wanted.half }, statusMatch('status.state', 'Allocated', 'Ready'))), names(other => other.half === half)) &&
        store.count('gameserver', 'games', wanted) === names(isBearer).length
    })
  }), { numRuns: 50 })
})

void t.test('a kind belongs to the resource whose plural it may have', async t => {
  const table: ReadonlyArray<readonly [apiVersion: string, kind: string, group: string, version: string, resource: string, belongs: boolean]> = [
    ['agones.dev/v1', 'GameServer', 'agones.dev', 'v1', 'gameservers', true],
    ['v1', 'Pod', '', 'v1', 'pods', true],
    ['networking.k8s.io/v1', 'Ingress', 'networking.k8s.io', 'v1', 'ingresses', true],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'networking.k8s.io', 'v1', 'networkpolicies', true],
    ['v1', 'Endpoints', '', 'v1', 'endpoints', true],
    ['v1', 'Pod', '', 'v1', 'Pods', true],
    ['agones.dev/v2', 'GameServer', 'agones.dev', 'v1', 'gameservers', false],
    ['v1', 'GameServer', 'agones.dev', 'v1', 'gameservers', false],
    ['agones.dev/v1', 'Pod', '', 'v1', 'pods', false],
    ['v1', 'Pod', '', 'v1', 'services', false]
  ]
  for (const [apiVersion, kind, group, version, resource, belongs] of table) {
    t.equal(isOfType(kubeObject(apiVersion, kind, 'x'), { group, version, resource }), belongs, `${apiVersion} ${kind} as ${resource}`)
  }
  t.strictSame(pluralsOf('Policy'), ['policys', 'policyes', 'policy', 'policies'])
})

void t.test('Services are held whenever a mapping routes to those of other objects', async t => {
  const services = { group: '', version: 'v1', resource: 'services' }
  const byService = { group: 'agones.dev', version: 'v1', resource: 'gameservers', serviceSelectorLabel: 'gs', serviceTargetPortName: 'default' }
  t.strictSame(heldTypes({ direct: mapping() }), new Map([['direct', { group: 'agones.dev', version: 'v1', resource: 'gameservers' }]]))
  t.strictSame(heldTypes({ legacy: byService }).get(SERVICES_TYPE), services)
  t.strictSame([...heldTypes({ dns: { ...services, serviceTargetPortName: 'dns' } }).keys()], ['dns'], 'a Service is its own')
})
