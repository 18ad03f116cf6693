// That crowded rooms are found, and rooms that nothing is said about, and that the list of known ones can only shrink.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'

type Counts = ReadonlyMap<string, number>

const { countFiles, findCrowded, findRowFaults, readRows } = await import(pathToFileURL('scripts/lint/room-sizes.mjs').href) as {
  countFiles: (files: readonly string[]) => Counts
  findCrowded: (counts: Counts, known: Readonly<Record<string, number>>) => string[]
  findRowFaults: (counts: Counts, rows: readonly string[]) => string[]
  readRows: (page: string) => string[]
}

void t.test('files count for the folder they are in, and tests for none', async t => {
  const counts = countFiles(['apps/proxy/src/a.ts', 'apps/proxy/src/core/b.ts', 'apps/proxy/src/core/c.ts', 'apps/proxy/test/core/b.test.ts', 'scripts/test/d.ts', 'fuzz/e.ts', 'test/f.ts'])
  t.strictSame([...counts], [['apps/proxy/src', 1], ['apps/proxy/src/core', 2], ['fuzz', 1]])
})

void t.test('sixteen files are too many; a known folder may have what it has, and no more', async t => {
  t.strictSame(findCrowded(new Map([['fuzz', 15]]), {}), [])
  t.match(findCrowded(new Map([['fuzz', 16]]), {}), [/^fuzz has 16 files; 15 are the most/])
  t.strictSame(findCrowded(new Map([['fuzz', 20]]), { fuzz: 20 }), [])
  t.match(findCrowded(new Map([['fuzz', 21]]), { fuzz: 20 }), [/^fuzz has 21 files; 20 are the most/])
  t.match(findCrowded(new Map([['fuzz', 15]]), { fuzz: 20 }), [/take it off/])
  t.match(findCrowded(new Map(), { fuzz: 20 }), [/take it off/], 'a folder that is gone')
})

void t.test('a folder of six files has a row, and a row has its folder', async t => {
  const page = '# A\n\n## Other\n\n| `x` | no room |\n\n## Rooms\n\n| room | owns |\n|---|---|\n| `fuzz` | inputs |\n| `e2e` | programs |\n\n## More\n\n| `y` | no room |\n'
  t.strictSame(readRows(page), ['fuzz', 'e2e'])
  t.strictSame(readRows('## Rooms\n| `fuzz` | inputs |'), ['fuzz'], 'also at the end of the page')
  t.strictSame(readRows('# Nothing'), [])
  t.strictSame(findRowFaults(new Map([['fuzz', 6], ['e2e', 1], ['bench', 5]]), ['fuzz', 'e2e']), [])
  t.match(findRowFaults(new Map([['bench', 6]]), ['fuzz']), [/^bench has no row/, /row for fuzz, which is not there/])
})

void t.test('npm replaces the shell only in scripts of one command', async t => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> }
  for (const [name, script] of Object.entries(scripts)) t.notOk(script.startsWith('exec ') && /[;&|]/.test(script), `${name}: what follows an exec never runs`)
})
