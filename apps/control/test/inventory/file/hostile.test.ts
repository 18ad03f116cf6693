// Files that nobody should have written: each is a fault in plain words, or an object like any other, and never more.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { createParser, SHORT_LENGTH } from '../../../src/inventory/file/parser.js'
import { parseDocuments, type Parsed } from '../../../src/inventory/file/parse-documents.js'
import { answersTo } from '../../../src/inventory/file/parser-thread.js'
import { MAX_YAML_LENGTH } from '../../../src/inventory/file/read-documents.js'
import { listPath, MAX_FILE_BYTES, readListing } from '../../../src/inventory/file/read-path.js'

const object = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n'
const padding = `# ${'x'.repeat(SHORT_LENGTH)}\n`

function said (parsed: Parsed): string {
  return parsed.ok ? `${parsed.value.length} objects` : parsed.error.map(({ position, message }) => `${position === undefined ? '' : `${position.line}:${position.column} `}${message}`).join('; ')
}

const tooDeep = /nested too deep to be read; no Kubernetes object is$|nested deeper than 100 levels$/

const texts: ReadonlyArray<readonly [description: string, text: string, fault: RegExp, isJson?: boolean]> = [
  ['a deep list', `${object}x: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, tooDeep],
  ['deep maps', `${'{a: '.repeat(8000)}${'}'.repeat(8000)}`, tooDeep],
  ['deep blocks', `${Array.from({ length: 400 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')}\n`, tooDeep],
  ['a deep sequence', `${'- '.repeat(8000)}x`, tooDeep],
  ['deep JSON', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, tooDeep, true],
  ['deep JSON without end', '['.repeat(100_000), /^\d+:\d+ |^nested/, true],
  ['deep by aliases', `${object}a0: &a0 [x]\n${Array.from({ length: 3 }, (_, n) => `a${n + 1}: &a${n + 1} ${'['.repeat(50)}*a${n}${']'.repeat(50)}\n`).join('')}`, /nested deeper than 100 levels$/],
  ['aliases that multiply', `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(', ')}]\n`).join('')}`, /more than 100 aliases, or aliases stand for aliases that would multiply/],
  ['an alias in itself', '&a [*a]', /an alias stands inside of what it refers to$/],
  ['an alias to nothing', `${object}x: *nowhere`, /nowhere/],
  ['keys twice', `${object}kind: Service\n`, /^4:1 Map keys must be unique$/],
  ['tabs', '\tkind: Pod\n', /^1:1 Tabs are not allowed/],
  ['a tag of a language', `${object}x: !!js/function "x"`, /^4:4 |1 objects/],
  ['binary', `${object}x: !!binary aGk=`, /binary values are not supported$/],
  ['a number out of range', `${object}x: 1e999`, /^4:4 a number is out of range$/],
  ['a number that would be rounded', `${object}x: 9007199254740993`, /^4:4 a whole number is larger than 2\^53 and would be rounded; put it in quotes$/],
  ['a huge number in JSON', '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "x": 76561197960287930}', /2\^53/, true],
  ['many documents of nothing', '---\n'.repeat(5000), /^0 objects$/],
  ['many broken documents', '---\na: 1\n'.repeat(2000), /^(?:\d+:1 apiVersion is missing or no text(?:; |$)){10}$/],
  ['a configuration', 'queryPort: 9000\nadminPort: 9090\ninventory: {provider: file}\n', /^1:1 this is a configuration of the director, not a Kubernetes object; keep it outside of inventory\.path$/]
]

void t.test('hostile texts are told in plain words, read at once or in the thread', async t => {
  const parser = createParser(createFakeClock())
  t.teardown(() => parser.close())
  for (const [description, text, fault, isJson = false] of texts) {
    const once = said(parseDocuments(text, isJson))
    t.match(once, fault, description)
    t.notMatch(once, /stack|exhaustion attack/, description)
    const long = isJson ? text.padEnd(SHORT_LENGTH + 1) : `${text}\n${padding}`
    t.match(said(await parser.parse(long, isJson)), fault, `${description}, in the thread`)
  }
})

void t.test('names of prototypes are names', async t => {
  const parser = createParser(createFakeClock())
  t.teardown(() => parser.close())
  const text = 'apiVersion: v1\nkind: Pod\n__proto__: {polluted: "1"}\nmetadata: {name: __proto__, labels: {__proto__: x, constructor: y}}\n'
  for (const parsed of [parseDocuments(text, false), await parser.parse(text + padding, false)]) {
    const [found] = parsed.ok ? parsed.value : []
    t.equal(found?.object.metadata.name, '__proto__')
    t.strictSame(Object.entries(found?.object.metadata.labels ?? {}), [['__proto__', 'x'], ['constructor', 'y']])
    t.equal((found?.object as Record<string, unknown> | undefined)?.['polluted'], undefined)
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

void t.test('what the thread reads is the same, frozen, with its places', async t => {
  const parser = createParser(createFakeClock())
  t.teardown(() => parser.close())
  const text = Array.from({ length: 3000 }, (_, at) => `---\n${object.replace('name: a', `name: a${at}`)}labels: &l {x: "1"}\nmore: *l\n`).join('')
  const parsed = await parser.parse(text, false)
  t.strictSame(parsed, parseDocuments(text, false))
  t.ok(parsed.ok && parsed.value.every(({ object }) => Object.isFrozen(object) && Object.isFrozen(object['more'])))
  const json = JSON.stringify({ kind: 'List', apiVersion: 'v1', items: parsed.ok ? parsed.value.map(({ object }) => object) : [] })
  t.equal(said(await parser.parse(json, true)), '3000 objects')
})

void t.test('the thread hands over a little at a time, and nothing of a file that says too much', async t => {
  const big = 'x'.repeat(1000)
  const items = Array.from({ length: 500 }, (_, at) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `a${at}` }, big }))
  const pieces = [...answersTo({ text: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), isJson: true })]
  t.ok(pieces.length > 8)
  t.ok(pieces.every(answer => !('pieces' in answer) || answer.pieces.json.length < 70_000), 'each piece is parsed in one turn')
  const long = `${object}x: ${'y'.repeat(2_000_000)}\n`
  t.match([...answersTo({ text: long, isJson: false })], [{ faults: [{ message: /an object is longer than 1572864 characters as JSON/ }] }])
  const repeated = `apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: Pod, metadata: {name: a}, x: &x ${'y'.repeat(1_000_000)}}\n${Array.from({ length: 50 }, (_, at) => `- {apiVersion: v1, kind: Pod, metadata: {name: b${at}}, x: *x}\n`).join('')}`
  t.match([...answersTo({ text: repeated, isJson: false })], [{ faults: [{ message: /the objects come to more than/ }] }])
})

void t.test('the thread has bounds of length, memory and time', async t => {
  const clock = createFakeClock()
  const small = createParser(clock, { maxHeapMb: 16 })
  t.teardown(() => small.close())
  const many = Array.from({ length: 20_000 }, (_, at) => `---\n${object.replace('name: a', `name: a${at}`)}`).join('')
  t.equal(said(await small.parse(many, false)), 'the file takes too much memory to be read; write it as JSON, or as several files')
  t.equal(said(await small.parse(object + padding, false)), '1 objects', 'the next file has a thread again')

  const slow = createParser(clock, { maxParseMs: 60_000 })
  t.teardown(() => slow.close())
  const reading = slow.parse(many, false)
  clock.advance(60_000)
  t.match(said(await reading), /^the file takes longer than 60 s to be read; write it as JSON, or as several files$/)

  const parser = createParser(clock)
  t.match(said(await parser.parse('#'.repeat(MAX_YAML_LENGTH + 1), false)), /^the file is YAML longer than 4194304 characters; write it as JSON, or as several files$/)
  t.match(said(await parser.parse('{'.padEnd(MAX_YAML_LENGTH + 1), true)), /^the file is not JSON \(.*\), and as YAML longer than 4194304 characters; repair it$/)
  const under = parser.parse(many, false)
  await parser.close()
  t.match(said(await under), /the thread that read the file has ended/)
})

void t.test('what is not text, or no file, is told as that', async t => {
  const path = await mkdtemp(join(tmpdir(), 'inventory-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const utf16 = Buffer.from(`\ufeff${object}`, 'utf16le')
  const files: Readonly<Record<string, readonly [bytes: Buffer, text: string | RegExp]>> = {
    'a-bom.yaml': [Buffer.from(`\ufeff${object}`), object],
    'b-utf16le.yaml': [utf16, 'the file is UTF-16 text; save it as UTF-8'],
    'c-utf16be.yaml': [Buffer.from(utf16).swap16(), 'the file is UTF-16 text; save it as UTF-8'],
    'd-nul.yaml': [Buffer.from(`${object}x: "\0"`), 'the file has a NUL byte in line 4; it is not UTF-8 text'],
    'e-latin1.yaml': [Buffer.from('a: \xe9', 'latin1'), 'the file is not UTF-8 text'],
    'f-gzip.yaml': [Buffer.from([0x1f, 0x8b, 8, 3]), 'the file is not UTF-8 text'],
    'g-huge.json': [Buffer.alloc(MAX_FILE_BYTES + 1, ' '), /^the file has \d+ bytes, more than \d+; make several files of it$/]
  }
  for (const [name, [bytes]] of Object.entries(files)) await writeFile(join(path, name), bytes)
  await mkdir(join(path, 'h-directory.yaml'))
  const hasPipe = process.platform !== 'win32'
  if (hasPipe) execFileSync('mkfifo', [join(path, 'i-pipe.yaml')])
  const listing = await listPath(path)
  t.ok(listing.ok)
  const read = listing.ok ? await readListing(listing.value) : []
  t.match(read.map(({ name, text }) => [name, text.ok ? text.value : text.error]),
    [...Object.entries(files).map(([name, [, text]]) => [name, text]), ...hasPipe ? [['i-pipe.yaml', /^this is not a file, but a/]] : []])
  if (hasPipe) t.match(await listPath(join(path, 'i-pipe.yaml')), { ok: false, error: 'not_a_file_or_directory' })
})
