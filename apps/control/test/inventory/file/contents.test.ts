// What files say: golden tables of good and broken texts, then how contents go from one reading to the next.
import fc from 'fast-check'
import t from 'tap'
import { err, ok } from '#core/result.js'
import { whole } from '#core/slices.js'
import { assignObjects } from '../../../src/inventory/file/assign.js'
import { formatFault, nextContents, noContents, parsedBefore, type Contents, type SourceFile } from '../../../src/inventory/file/contents.js'
import { parseDocuments } from '../../../src/inventory/file/parse-documents.js'
import { gameServer, kubeObject } from '../kube-objects.js'

const server = (name: string, more = ''): string => `apiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {name: ${name}${more}}\n`

function namesIn (text: string, isJson = false): readonly string[] | string {
  const parsed = parseDocuments(text, isJson)
  return parsed.ok
    ? parsed.value.map(({ object }) => `${object.apiVersion} ${object.kind} ${object.metadata.namespace}/${object.metadata.name}`)
    : parsed.error.map(({ position, message }) => `${position?.line}:${position?.column} ${message}`).join('; ')
}

void t.test('objects come out of documents and lists, in their order', async t => {
  const item = { apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { name: 'a', namespace: 'games' } }
  const table: ReadonlyArray<readonly [description: string, text: string, objects: readonly string[]]> = [
    ['one document', server('a'), ['agones.dev/v1 GameServer default/a']],
    ['a namespace', server('a', ', namespace: games'), ['agones.dev/v1 GameServer games/a']],
    ['a namespace of null', server('a', ', namespace: null'), ['agones.dev/v1 GameServer default/a']],
    ['several documents', `---\n${server('b')}---\n${server('a')}...\n`, ['agones.dev/v1 GameServer default/b', 'agones.dev/v1 GameServer default/a']],
    ['documents without content', `# nothing\n---\n---\n${server('a')}---\n# nothing\n`, ['agones.dev/v1 GameServer default/a']],
    ['nothing at all', '', []],
    ['a List', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item, { ...item, metadata: { name: 'b' } }] }), ['agones.dev/v1 GameServer games/a', 'agones.dev/v1 GameServer default/b']],
    ['a List in a List', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ kind: 'List', items: [item] }] }), ['agones.dev/v1 GameServer games/a']],
    ['a list of one kind, as the API answers', JSON.stringify({ apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '1' }, items: [{ metadata: { name: 'a' } }] }), ['v1 Pod default/a']],
    ['a list without items', 'apiVersion: v1\nkind: PodList\nitems: null\n', []],
    ['an object whose kind ends in List', 'apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: a}\nitems: []\n', ['x.io/v1 AllowList default/a']],
    ['the same name in two kinds', `${server('a')}---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n`, ['agones.dev/v1 GameServer default/a', 'v1 Service default/a']],
    ['merge keys', 'base: &base {kind: GameServer, apiVersion: agones.dev/v1, metadata: {name: z}}\n<<: *base\nmetadata: {name: a}\n', ['agones.dev/v1 GameServer default/a']]
  ]
  for (const [description, text, objects] of table) t.strictSame(namesIn(text), objects, description)
  t.strictSame(namesIn(JSON.stringify(item), true), ['agones.dev/v1 GameServer games/a'], 'JSON')
  t.strictSame(namesIn(`${JSON.stringify(item).slice(0, -1)},}`, true), ['agones.dev/v1 GameServer games/a'], 'not quite JSON is read as YAML')
})

void t.test('what is broken is reported with its place', async t => {
  const table: ReadonlyArray<readonly [text: string, fault: RegExp]> = [
    ['kind: [a\n', /^2:1 .*\]/],
    ['a: 1\n b: 2\n', /^1:4 Nested mappings/],
    ['\tkind: a\n', /^1:1 Tabs are not allowed/],
    ['a: 1\na: 2\n', /^2:1 Map keys must be unique/],
    ['kind: *nothing\n', /^1:1 .*nothing/],
    [server('a') + '---\nkind: "x\n', /^6:1 Missing closing "quote/],
    ['text\n', /^1:1 a Kubernetes object is expected here$/],
    ['- a\n- b\n', /^1:1 a Kubernetes object is expected here$/],
    ['kind: A\nmetadata: {name: a}\n', /^1:1 apiVersion is missing/],
    ['apiVersion: v1\nkind: 3\nmetadata: {name: a}\n', /^2:7 kind is missing or no text$/],
    ['apiVersion: v1\nkind: Pod\n', /^1:1 metadata is missing/],
    ['apiVersion: v1\nkind: Pod\nmetadata: a\n', /^3:11 metadata is missing or no map/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  namespace: x\n', /^4:3 metadata.name is missing/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: 12\n', /^4:9 metadata.name is not a valid name/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a/b\n', /^4:9 metadata.name is not a valid name/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: ""\n', /^5:14 metadata.namespace is not a valid name/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  deletionTimestamp: 12\n', /^5:22 metadata.deletionTimestamp/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: [x]\n', /^5:11 metadata.labels is not a map/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    max: 64\n', /^6:10 metadata.labels "max" is not text; put the value in quotes/],
    ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    full: true\n', /^6:11 metadata.annotations "full"/],
    ['apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx: .inf\n', /^4:4 a number is out of range/],
    ['apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx: !!binary aGk=\n', /^4:13 binary/],
    ['&a\napiVersion: v1\nkind: List\nitems: [*a]\n', /^4:9 an alias stands inside/],
    [`apiVersion: v1\nkind: Pod\nx: ${'['.repeat(120)}${']'.repeat(120)}\n`, /^3:\d+ nested deeper than 100 levels/],
    [`apiVersion: v1\nkind: Pod\nx: ${'['.repeat(30_000)}\n`, /^\d+:\d+ /],
    [bomb(), /aliases that would multiply/],
    [`${server('a')}---\n${server('b')}---\n${server('a')}`, /^9:1 GameServer default\/a is there twice$/],
    ['apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {nam: a}\n  - 7\n', /^6:15 metadata.name is missing; 7:5 a Kubernetes object/],
    ['apiVersion: v1\nkind: List\nitems:\n  -\n', /^4:\d+ a Kubernetes object is expected/]
  ]
  for (const [text, fault] of table) t.match(namesIn(text), fault, text.slice(0, 80))
  t.match(namesIn('{"apiVersion": "v1",\n "kind": "Pod",\n "metadata": {"name": 7}}', true), /^3:23 metadata.name/, 'JSON has places too')
  t.match(namesIn('{"apiVersion": "v1",\n "kind": }x', true), /^2:/)
  const many = parseDocuments(Array<string>(50).fill('text').join('\n---\n'), false)
  t.equal(many.ok ? 0 : many.error.length, 10, 'no more faults than one can repair at a time')
})

// Aliases of aliases: a few lines that stand for 10^9 values.
function bomb (): string {
  return 'a0: &a0 [x]\n' + Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array<string>(10).fill(`*a${at}`).join(', ')}]\n`).join('')
}

void t.test('objects are read-only to the last leaf', async t => {
  const parsed = parseDocuments('apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: y}}\nspec: {ports: [{name: p}]}\n', false)
  const object: any = parsed.ok ? parsed.value[0]?.object : undefined
  t.throws(() => { object.spec.ports[0].name = 'q' }, TypeError)
  t.throws(() => { object.metadata.labels.x = 'z' }, TypeError)
  t.throws(() => { object.metadata.name = 'b' }, TypeError)
})

void t.test('any text is objects or faults, never an exception', async () => {
  const yamlish = fc.array(fc.constantFrom('kind: List', 'items:', '- ', '  ', '\n', ': ', '&a ', '*a', '[', ']', '{', '}', '"', '\'', '|', '>', '#', '---\n', '!!int ', 'x', '\t', '%', '?', '<<')).map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), yamlish, fc.json()), fc.boolean(), (text, isJson) => {
    const parsed = parseDocuments(text, isJson)
    return parsed.ok || (parsed.error.length > 0 && parsed.error.every(({ position }) => position !== undefined && position.line >= 1 && position.column >= 1))
  }), { numRuns: 500 })
})

function contentsOf (previous: Contents, files: Readonly<Record<string, string | Error>>): Contents {
  const sources = Object.entries(files).map(([name, text]): SourceFile => ({ name, text: text instanceof Error ? err(text.message) : ok(text) }))
  return whole(nextContents(previous, sources.map(source => ({ source, parsed: parsedBefore(source, previous) ?? parseDocuments(source.text.ok ? source.text.value : '', source.name.endsWith('.json')) }))), 0)
}

const names = ({ objects }: Contents): string[] => objects.map(({ metadata }) => metadata.name)
const faults = (contents: Contents): string[] => contents.faults.map(formatFault)

void t.test('a broken file stays what it last was, alone', async t => {
  const first = contentsOf(noContents, { 'a.yaml': server('a1'), 'b.yaml': server('b1') })
  t.strictSame([names(first), faults(first)], [['a1', 'b1'], []])
  const second = contentsOf(first, { 'a.yaml': 'kind: [', 'b.yaml': server('b2') })
  t.strictSame(names(second), ['a1', 'b2'])
  t.match(faults(second), [/^a\.yaml:1:\d+: /])
  const third = contentsOf(second, { 'a.yaml': new Error('the file cannot be read (EACCES)'), 'b.yaml': server('b2') })
  t.strictSame([names(third), faults(third)], [['a1', 'b2'], ['a.yaml: the file cannot be read (EACCES)']])
  const emptied = contentsOf(second, { 'a.yaml': '', 'b.yaml': server('b2') })
  t.strictSame([names(emptied), faults(emptied)], [['a1', 'b2'], ['a.yaml: the file is empty; delete it if nothing belongs in it']], 'a file of no bytes is one that failed to be written')
  t.strictSame(names(contentsOf(second, { 'a.yaml': '# none', 'b.yaml': server('b2') })), ['b2'])
  const repaired = contentsOf(third, { 'a.yaml': server('a2'), 'b.yaml': server('b2') })
  t.strictSame([names(repaired), faults(repaired)], [['a2', 'b2'], []])
  t.strictSame(names(contentsOf(repaired, { 'b.yaml': server('b2') })), ['b2'], 'a file that is gone is gone')
  const broken = contentsOf(noContents, { 'a.yaml': 'kind: [', 'b.yaml': server('b1') })
  t.strictSame(names(broken), ['b1'], 'broken from the start is empty')
})

void t.test('an object in two files belongs to the earlier one, and the later one is broken', async t => {
  const first = contentsOf(noContents, { 'a.yaml': server('x'), 'b.yaml': `${server('y')}---\n${server('z')}` })
  const second = contentsOf(first, { 'a.yaml': server('x'), 'b.yaml': `${server('new')}---\n${server('x')}` })
  t.strictSame(names(second), ['x', 'y', 'z'], 'its last good content is kept')
  t.strictSame(faults(second), ['b.yaml:5:1: GameServer default/x is in a.yaml already'])
  const moved = contentsOf(first, { 'a.yaml': server('y'), 'b.yaml': `${server('y')}---\n${server('z')}` })
  t.strictSame(names(moved), ['y', 'z'], 'an object that moves to an earlier file is never there twice')
  t.equal(faults(moved).length, 1)
  const settled = contentsOf(moved, { 'a.yaml': server('y'), 'b.yaml': server('z') })
  t.strictSame([names(settled), faults(settled)], [['y', 'z'], []])
})

void t.test('a large copy of a file is a handful of faults, found at once', async t => {
  const items = Array.from({ length: 10_000 }, (_, at) => gameServer(`server-${at}`, { labels: { fleet: 'arena' } }))
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  t.ok(text.length > 1024 * 1024)
  const contents = contentsOf(noContents, { 'a.json': text, 'b.json': text })
  t.equal(contents.objects.length, 10_000)
  t.strictSame(faults(contents).length, 10)
  t.equal(faults(contents)[0], 'b.json: GameServer games/server-0 is in a.json already', 'no position: YAML would take seconds to find it')
})

void t.test('an unchanged file is not parsed again', async t => {
  const first = contentsOf(noContents, { 'a.yaml': server('a') })
  const second = contentsOf(first, { 'a.yaml': server('a') })
  t.equal(second.objects[0], first.objects[0])
  const broken = contentsOf(second, { 'a.yaml': 'kind: [' })
  t.strictSame(faults(contentsOf(broken, { 'a.yaml': 'kind: [' })), faults(broken), 'and its fault stays')
})

void t.test('objects are assigned to every type they belong to', async t => {
  const types = new Map([
    ['gameserver', { group: 'agones.dev', version: 'v1', resource: 'gameservers' }],
    ['arena', { group: 'agones.dev', version: 'v1', resource: 'gameservers' }],
    ['pod', { group: '', version: 'v1', resource: 'pods' }]
  ])
  const objects = [gameServer('a'), kubeObject('v1', 'ConfigMap', 'settings'), gameServer('b')]
  const { byType, ignored } = whole(assignObjects(objects, types), 0)
  t.strictSame([...byType].map(([type, found]) => [type, found.length]), [['gameserver', 2], ['arena', 2], ['pod', 0]])
  t.equal(ignored, 1)
})
