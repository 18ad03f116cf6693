// That circles of imports are found, of files and of folders, and that the list of known ones can only shrink.
import { pathToFileURL } from 'node:url'
import t from 'tap'

type Graph = ReadonlyMap<string, ReadonlySet<string>>

const { findCircles, findFaults, foldersOf, readImports } = await import(pathToFileURL('scripts/lint/import-circles.mjs').href) as {
  findCircles: (graph: Graph) => string[][]
  findFaults: (graph: Graph, known: ReadonlyArray<readonly [string, string]>) => string[]
  foldersOf: (graph: Graph) => Graph
  readImports: (root: string, files: readonly string[], subpaths: Readonly<Record<string, string>>) => Graph
}

const graph = (arrows: Readonly<Record<string, string>>): Graph =>
  new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to.split(' ').filter(Boolean))]))

void t.test('every way to import counts, and what is not a source does not', async t => {
  const files = {
    'a.ts': 'import { b } from \'./b.js\'\nimport type { C } from \'#core/c.js\'\nexport * from \'./d.js\'\nconst e = await import(\'./e.js\')\nimport \'node:fs\'\nimport \'fastify\'\n',
    'b.ts': 'let x: import(\'./a.js\').A\n// import \'./e.js\'\nconst text = "import \'./e.js\'"\n',
    'd.ts': 'export type { B } from \'./b.js\'\n',
    'e.ts': '',
    libs: { core: { src: { 'c.ts': '' } } }
  }
  const root = t.testdir(files)
  const found = readImports(root, ['a.ts', 'b.ts', 'd.ts', 'e.ts', 'libs/core/src/c.ts'], { '#core/*': './libs/core/src/*' })
  t.strictSame([...found.get('a.ts')!].sort(), ['b.ts', 'd.ts', 'e.ts', 'libs/core/src/c.ts'])
  t.strictSame([...found.get('b.ts')!], ['a.ts'])
  t.strictSame([...found.get('d.ts')!], ['b.ts'])
})

void t.test('circles are sets of which each reaches each', async t => {
  t.strictSame(findCircles(graph({ a: 'b c', b: 'd', c: 'd', d: '' })), [], 'two ways to one place are none')
  t.strictSame(findCircles(graph({ x: 'a', a: 'b', b: 'c', c: 'a d', d: 'e', e: 'd', f: 'a' })), [['a', 'b', 'c'], ['d', 'e']])
  t.strictSame(findCircles(graph({ a: 'b', b: 'a c', c: 'b' })), [['a', 'b', 'c']], 'two that touch are one')
})

void t.test('folders may go round where files do not', async t => {
  const files = graph({ 'x/a.ts': 'x/b.ts y/a.ts', 'x/b.ts': '', 'y/a.ts': 'y/z/c.ts', 'y/z/c.ts': 'x/b.ts' })
  t.strictSame(findCircles(files), [])
  t.strictSame(findCircles(foldersOf(files)), [['x', 'y', 'y/z']])
})

void t.test('a fault shows the shortest way round, and what is known has to be there', async t => {
  const round = graph({ a: 'b x', b: 'c', c: 'a', x: 'y', y: 'c' })
  t.strictSame(findFaults(round, []), ['A circle of imports:\n    a\n    b\n    c\n    a\n'])
  t.strictSame(findFaults(round, [['c', 'a']]), [])
  t.strictSame(findFaults(round, [['c', 'a'], ['b', 'x']]), ['b does not import x any more: take that off scripts/lint/known-circles.mjs.\n'])
  t.strictSame(findFaults(graph({ a: 'b', b: 'a c', c: 'b' }), [['b', 'a']]), ['A circle of imports:\n    b\n    c\n    b\n'], 'another circle of the same files is a fault')
})
