// Golden tables for the paths that are read and for those that are not, then what must hold for any text.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { compilePath } from '../src/compile-path.js'
import { evaluatePath } from '../src/evaluate-path.js'
import { matchesAny } from '../src/matches-any.js'
import { MAX_NODES, MAX_PATH_LENGTH, MAX_SEGMENTS } from '../src/path.js'
import { createPathCache } from '../src/path-cache.js'

const object = {
  metadata: {
    name: 'arena-1',
    labels: { 'agones.dev/fleet': 'arena', "it's": 'quoted', 'a[0]': 'bracket' }
  },
  status: {
    state: 'Allocated',
    players: { current: 0, full: false, list: null },
    ports: [{ name: 'default', port: 7777 }, { name: 'voice', port: 7788, tls: true }],
    addresses: [
      { type: 'Hostname', address: 'node-1' },
      { type: 'PodIP', address: '10.1.2.3' },
      { type: 'PodIP', address: 'fd00::3' }
    ],
    tags: ['a', 'b', 3]
  }
}

function nodesOf (path: string, root: unknown): unknown {
  const compiled = compilePath(path)
  return compiled.ok ? evaluatePath(compiled.value, root) : compiled.error
}

const [game, voice] = object.status.ports
const [hostname, podV4, podV6] = object.status.addresses

const golden: ReadonlyArray<readonly [path: string, nodes: readonly unknown[]]> = [
  ['status.state', ['Allocated']],
  ['.status.state', ['Allocated']],
  ['$.status.state', ['Allocated']],
  ['{.status.state}', ['Allocated']],
  ['{$.status.state}', ['Allocated']],
  [' { status.state } ', ['Allocated']],
  ['["status"][\'state\']', ['Allocated']],
  ['$[ "status" ].state', ['Allocated']],
  ['metadata.labels.agones\\.dev/fleet', ['arena']],
  ['metadata.labels[\'agones.dev/fleet\']', ['arena']],
  ['metadata.labels[\'agones\\.dev/fleet\']', ['arena']],
  ['metadata.labels[\'it\\\'s\']', ['quoted']],
  ['metadata.labels["it\'s"]', ['quoted']],
  ['metadata.labels.a\\[0\\]', ['bracket']],
  ['status.ports[0].port', [7777]],
  ['status.ports[ -1 ].port', [7788]],
  ['status.ports[2].port', []],
  ['status.ports[-3].port', []],
  ['status.ports[*].port', [7777, 7788]],
  ['status.ports.*.name', ['default', 'voice']],
  ['status.players.*', [0, false, null]],
  ['*.name', ['arena-1']],
  ['status.tags', [['a', 'b', 3]]],
  ['status.players.list', [null]],
  ['status.missing', []],
  ['status.state.length', []],
  ['status.state[0]', []],
  ['status.ports.length', []],
  ['status.ports[\'0\']', []],
  ['status[0]', []],
  ['status.players.list.x', []],
  ['status.players.current[*]', []],
  ['status.addresses[?(@.type == \'PodIP\')].address', ['10.1.2.3', 'fd00::3']],
  ['status.addresses[?@.type=="PodIP"]', [podV4, podV6]],
  ['status.addresses[?( @.type != "PodIP" )]', [hostname]],
  ['status.addresses[?(@[\'type\']==\'Hostname\')].address', ['node-1']],
  ['status.ports[?(@.tls)]', [voice]],
  ['status.ports[?(@.tls == true)]', [voice]],
  ['status.ports[?(@.tls != true)]', [game]],
  ['status.ports[?(@.port < 7788)]', [game]],
  ['status.ports[?(@.port <= 7788)]', [game, voice]],
  ['status.ports[?(@.port > 7777)]', [voice]],
  ['status.ports[?(@.port >= 7.777e3)]', [game, voice]],
  ['status.ports[?(@.port == \'7777\')]', []],
  ['status.ports[?(@.name < "e")]', [game]],
  ['status.ports[?(@.name < 1)]', []],
  ['status.tags[?(@ == \'b\')]', ['b']],
  ['status.tags[?@ == 3]', [3]],
  ['status.players[?(@ == null)]', [null]],
  ['status.state[?(@ == \'A\')]', []],
  ['status[?(@[0].port == 7777)][1].name', ['voice']],
  ['status.ports[?(@.port > -1)].port', [7777, 7788]]
]

void t.test('a path selects the nodes it names', async t => {
  for (const [path, nodes] of golden) t.strictSame(nodesOf(path, object), nodes, path)
})

const faults: ReadonlyArray<readonly [path: string, position: number, message: RegExp]> = [
  ['', 0, /expected a name, found the end/],
  ['   ', 3, /a name, found the end/],
  ['$', 1, /'\.' or '\[', found the end/],
  ['{}', 1, /a name, found '}'/],
  ['.', 1, /a name/],
  ['a.', 2, /a name/],
  ['a..b', 2, /a name, found '\.'/],
  ['$a', 1, /'\.' or '\[', found 'a'/],
  ['a[', 2, /an index, a quoted name, '\*' or '\?', found the end/],
  ['a[]', 2, /an index/],
  ['a[b]', 2, /an index/],
  ['a[1', 3, /expected '\]', found the end/],
  ['a[1:2]', 3, /expected '\]', found ':'/],
  ['a[0,1]', 3, /expected '\]', found ','/],
  ['a[-]', 2, /an index/],
  ['a[1234567890]', 2, /an index/],
  ['a[\'b]', 5, /a closing '/],
  ['a["b', 4, /a closing "/],
  ['a[\'b\'', 5, /expected '\]'/],
  ['a\\', 2, /punctuation after a backslash, found the end/],
  ['a\\nb', 2, /punctuation/],
  ['a[\'\\n\']', 4, /punctuation/],
  ['a b', 2, /'\.', '\[' or the end, found 'b'/],
  ['a]', 1, /found '\]'/],
  ['a*', 1, /found '\*'/],
  ['{a', 2, /expected '}'/],
  ['a}', 1, /found '}'/],
  ['{a} b', 4, /the end/],
  ['a\u0000', 1, /the end, found/],
  ['a\n', 1, /the end, found/],
  ['a[?', 3, /expected '@'/],
  ['a[?(', 4, /expected '@'/],
  ['a[?(b)]', 4, /expected '@'/],
  ['a[?(!@.b)]', 4, /expected '@'/],
  ['a[?(@.b]', 7, /expected '\)'/],
  ['a[?(@.b = 1)]', 8, /expected '\)', found '='/],
  ['a[?(@.b == )]', 11, /a string, a number/],
  ['a[?(@.b == c)]', 11, /a string, a number/],
  ['a[?(@.b == 1 && @.c)]', 13, /expected '\)', found '&'/],
  ['a[?(@.b =~ /x/)]', 8, /expected '\)'/],
  ['a[?(@.*)]', 6, /a name, found '\*'/],
  ['a[?(@[?(@.b)])]', 6, /an index or a quoted name/],
  ['a[?(@[*])]', 6, /an index or a quoted name/],
  ['a[?(@.b == \'c)]', 15, /a closing '/],
  ['a[(@.length-1)]', 2, /an index/],
  ['a.b()', 3, /found '\('/],
  ['a'.repeat(MAX_PATH_LENGTH + 1), MAX_PATH_LENGTH, /at most 256 characters/],
  ['a' + '.b'.repeat(MAX_SEGMENTS), 31, /at most 16 segments/],
  ['a[?(@' + '.b'.repeat(MAX_SEGMENTS) + ')]', 1, /at most 16 segments/]
]

void t.test('a text that is not a path is a fault with the position of what does not fit', async t => {
  for (const [path, position, message] of faults) {
    const compiled = compilePath(path)
    t.notOk(compiled.ok, JSON.stringify(path))
    if (compiled.ok) continue
    t.equal(compiled.error.position, position, JSON.stringify([path, compiled.error.message]))
    t.match(compiled.error.message, message, JSON.stringify(path))
  }
  t.ok(compilePath('a'.repeat(MAX_PATH_LENGTH)).ok, 'the longest path')
  t.ok(compilePath('a' + '.b'.repeat(MAX_SEGMENTS - 1)).ok, 'the most segments')
})

void t.test('an evaluation visits a bounded number of nodes', async t => {
  const wide = { a: Array.from({ length: 200 }, () => Array.from({ length: 200 }, (_, at) => at)) }
  const nodes = nodesOf('a[*][*]', wide) as unknown[]
  t.ok(nodes.length > MAX_NODES * 0.9 && nodes.length < MAX_NODES, `${nodes.length} nodes of 40,000`)
  t.strictSame(nodesOf('a[?(@.x)].x', { a: [...Array<object>(MAX_NODES).fill({}), { x: 1 }] }), [], 'elements a filter refuses count too')
  t.strictSame(nodesOf('a[?(@.x)].x', { a: [...Array<object>(100).fill({}), { x: 1 }] }), [1])
})

void t.test('what an object inherits is not part of it', async t => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'at']
  const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(fc.jsonValue(), path, (root, steps) => {
    const own = steps.reduce<unknown>((node, step) => ownMember(node, step), root)
    const expected = own === undefined ? [] : [own]
    return isDeepStrictEqual(nodesOf(steps.join('.'), root), expected) &&
      isDeepStrictEqual(nodesOf(steps.map(step => `['${step}']`).join(''), root), expected)
  }))
  t.strictSame(nodesOf('__proto__.polluted', JSON.parse('{"__proto__": {"polluted": 1}}')), [1], 'a member that is really called so is data')
  t.strictSame(nodesOf('*.constructor', [{}, [], 'text', 1]), [])
})

function ownMember (node: unknown, name: string): unknown {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return undefined
  return Object.getOwnPropertyDescriptor(node, name)?.value
}

void t.test('compiling any text never throws, and a fault lies within it', async () => {
  const grammar = fc.array(fc.constantFrom('a', 'b', '.', '[', ']', '(', ')', '?', '@', '*', '\'', '"', '\\', '{', '}', '$', '=', '==', '<', '0', '-1', ' ', '\u{1f600}')).map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), grammar), fc.jsonValue(), (text, root) => {
    const compiled = compilePath(text)
    if (compiled.ok) return Array.isArray(evaluatePath(compiled.value, root))
    return compiled.error.position >= 0 && compiled.error.position <= text.length
  }), { numRuns: 1000 })
})

void t.test('a path of names and indices agrees with walking by hand', async t => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'c.d', 'e\'f', 'g[', 'h\\'), fc.integer({ min: -3, max: 3 }))
  const tree = fc.letrec(tie => ({
    node: fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, 'x', null, true), tie('object'), tie('array')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c.d', 'e\'f', 'g[', 'h\\'), tie('node')),
    array: fc.array(tie('node'), { maxLength: 3 })
  })).object
  let hits = 0
  fc.assert(fc.property(tree, fc.array(step, { minLength: 1, maxLength: 4 }), (root, steps) => {
    const expected = walkByHand(root, steps)
    if (expected !== undefined) hits++
    const nodes = expected === undefined ? [] : [expected]
    return isDeepStrictEqual(nodesOf(steps.map(quoted).join(''), root), nodes) &&
      isDeepStrictEqual(nodesOf('$' + steps.map(dotted).join(''), root), nodes)
  }), { numRuns: 500 })
  t.ok(hits > 20, `${hits} paths led somewhere`)
})

function walkByHand (root: unknown, steps: ReadonlyArray<string | number>): unknown {
  let node: any = root
  for (const step of steps) {
    if (node === null || node === undefined || typeof node !== 'object') return undefined
    if (Array.isArray(node) !== (typeof step === 'number')) return undefined
    node = typeof step === 'number' && step < 0 ? node.at(step) : node[step]
  }
  return node
}

const quoted = (step: string | number): string =>
  typeof step === 'number' ? `[${step}]` : `['${step.replaceAll(/['\\]/g, '\\$&')}']`

const dotted = (step: string | number): string =>
  typeof step === 'number' ? `[${step}]` : `.${step.replaceAll(/[.'[\\]/g, '\\$&')}`

void t.test('nodes compare with expected texts by canonical text', async t => {
  const table: ReadonlyArray<readonly [nodes: unknown[], expected: string[], matches: boolean]> = [
    [['Ready'], ['Ready'], true],
    [['Ready'], ['ready'], false],
    [['Ready'], ['Allocated', 'Ready'], true],
    [['a', 'b'], ['b'], true],
    [[0], ['0'], true],
    [[-0], ['0'], true],
    [[1.5], ['1.5'], true],
    [[1], ['1.0'], false],
    [['1.0'], ['1.0'], true],
    [[true], ['true'], true],
    [[false], ['true'], false],
    [[null], ['null'], false],
    [[{}], ['[object Object]'], false],
    [[['a']], ['a'], false],
    [[undefined], ['undefined'], false],
    [[], [''], false],
    [[''], [''], true]
  ]
  for (const [nodes, expected, matches] of table) t.equal(matchesAny(nodes, expected), matches, `${JSON.stringify(nodes)} and ${JSON.stringify(expected)}`)
})

void t.test('the cache keeps the paths used last, and no faults', async t => {
  const cache = createPathCache(2)
  const first = cache.compile('a')
  t.ok(first.ok)
  t.equal(cache.compile('a'), first, 'compiled once')
  cache.compile('b')
  cache.compile('a')
  cache.compile('c')
  t.equal(cache.size(), 2)
  t.equal(cache.compile('a'), first, 'used last, so kept')
  t.notOk(cache.compile('a[').ok)
  t.equal(cache.size(), 2)
  t.equal(cache.compile('a'), first, 'a fault pushes nothing out')
})
