// A file that is written slowly and in place: what it lacks is kept until it is at rest.
import t from 'tap'
import { ok } from '#core/result.js'
import { whole } from '#core/slices.js'
import { nextContents as contentsInSlices, noContents, parsedBefore, type Contents, type SourceFile } from '../../../src/inventory/file/contents.js'
import { MAX_HELD_MS, SETTLED_MS } from '../../../src/inventory/file/held.js'
import { parseDocuments } from '../../../src/inventory/file/parse-documents.js'

const server = (name: string, state = 'Allocated'): string =>
  `---\napiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {name: ${name}}\nstatus: {state: ${state}}\n`

function nextContents (previous: Contents, sources: readonly SourceFile[], nowMs = 0): Contents {
  const read = sources.map(source => ({ source, parsed: parsedBefore(source, previous) ?? parseDocuments(source.text.ok ? source.text.value : '', false) }))
  return whole(contentsInSlices(previous, read, nowMs), nowMs)
}

type Step = readonly [atMs: number, files: readonly SourceFile[], objects: string]

const file = (text: string, stamp: string, id = 'inode', name = 'a.yaml'): SourceFile => ({ name, text: ok(text), id, stamp })
const both = file(server('a') + server('b'), '1')
const namesIn = ({ objects }: Contents): string => objects.map(({ metadata }) => metadata.name).sort().join(' ')

const table: Readonly<Record<string, readonly Step[]>> = {
  'written again slowly': [[0, [both], 'a b'], [1000, [file(server('a'), '2')], 'a b'], [2500, [file(server('a') + server('b'), '3')], 'a b'], [60_000, [file(server('a') + server('b'), '3')], 'a b']],
  'truncated, then half': [[0, [both], 'a b'], [1000, [file('', '2')], 'a b'], [2000, [file(server('a'), '3')], 'a b']],
  'half, broken, half': [[0, [both], 'a b'], [1000, [file(server('a'), '2')], 'a b'], [2000, [file('a: [', '3')], 'a b'], [3000, [file(server('a'), '4')], 'a b']],
  'removed in place': [[0, [both], 'a b'], [1000, [file(server('a'), '2')], 'a b'], [999 + SETTLED_MS, [file(server('a'), '2')], 'a b'], [1000 + SETTLED_MS, [file(server('a'), '2')], 'a']],
  'a slow writer starts the wait anew': [[0, [both], 'a b'], [1000, [file(server('a'), '2')], 'a b'], [9000, [file(server('c') + server('a'), '3')], 'a b c'], [12_000, [file(server('c') + server('a'), '3')], 'a b c']],
  'a file that never rests': [[0, [both], 'a b'], ...Array.from({ length: 12 }, (_, index): Step => [1000 + index * 5000, [file(server('a'), `x${index}`)], 'a b']), [1000 + MAX_HELD_MS, [file(server('a'), 'y')], 'a']],
  'replaced as a whole': [[0, [both], 'a b'], [1000, [file(server('a'), '2', 'other inode')], 'a']],
  deleted: [[0, [both], 'a b'], [1000, [], '']],
  'added at once': [[0, [both], 'a b'], [1000, [file(server('a') + server('b') + server('c'), '2')], 'a b c']],
  'moved to a later file': [[0, [both], 'a b'], [1000, [file(server('a'), '2'), file(server('b'), '1', 'z', 'z.yaml')], 'a b']]
}

void t.test('what a file lacks is gone when the file is at rest, or another', async t => {
  for (const [description, steps] of Object.entries(table)) {
    let contents = noContents
    for (const [atMs, files, objects] of steps) {
      contents = nextContents(contents, files, atMs)
      t.equal(namesIn(contents), objects, `${description}: ${atMs} ms`)
    }
  }
})

void t.test('the last object may be written in part', async t => {
  const before = nextContents(noContents, [both])
  const stateOfB = (contents: Contents): unknown => contents.objects.find(({ metadata }) => metadata.name === 'b')?.['status']
  const withB = (text: string): Contents => nextContents(before, [file(server('a') + text, '2')], 1000)
  t.strictSame(stateOfB(withB('---\napiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {name: b}\n')), { state: 'Allocated' }, 'without its end')
  t.strictSame(stateOfB(withB(server('b', 'Alloc'))), { state: 'Allocated' }, 'within a word')
  t.strictSame(stateOfB(withB(server('b', 'Shutdown'))), { state: 'Shutdown' }, 'a change is believed at once')
  const begun = file(server('a') + server('b', 'Alloc'), '2')
  t.strictSame(stateOfB(nextContents(withB(server('b', 'Alloc')), [begun], 1000 + SETTLED_MS)), { state: 'Alloc' }, 'until it is at rest')
})
