// When dist counts as stale, what a build leaves behind, and how much of it a test needs; on small projects in temporary
// folders.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { until } from '#testkit/patience.js'

const { isStale } = await import(pathToFileURL('scripts/build-state.mjs').href) as { isStale: (root: string, wanted?: readonly string[]) => boolean }
const { build } = await import(pathToFileURL('scripts/build.mjs').href) as { build: (root: string) => Promise<void> }
const { ensureBuild } = await import(pathToFileURL('scripts/ensure-build.mjs').href) as { ensureBuild: (root: string, wanted?: readonly string[]) => Promise<void> }
const { reachableFrom } = await import(pathToFileURL('scripts/mentions.mjs').href) as { reachableFrom: (root: string, sources: readonly string[], entries: readonly string[]) => string[] }
const { withProgress } = await import(pathToFileURL('scripts/progress.mjs').href) as { withProgress: <Value>(words: string, work: () => Promise<Value>, options: { write: (text: string) => void, everyMs?: number }) => Promise<Value> }

const modules = resolve('node_modules')

interface Project {
  readonly root: string
  readonly write: (path: string, text: string) => void
  readonly read: (path: string) => string
}

function project (root: string): Project {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const compilerOptions = {
    rootDir: '.',
    noEmit: true,
    incremental: true,
    tsBuildInfoFile: 'dist/.tsbuildinfo',
    module: 'nodenext',
    target: 'es2023',
    lib: ['es5'],
    types: [],
    skipLibCheck: true,
    verbatimModuleSyntax: true,
    isolatedModules: true
  }
  write('package.json', JSON.stringify({ name: 'x', version: '1.2.3', type: 'module', imports: { '#core/*': './libs/core/src/*' } }))
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['apps', 'libs'] }))
  write('libs/core/src/one.ts', 'export const one = 1\n')
  write('apps/cli/src/main.ts', '#!/usr/bin/env node\nimport { one } from \'#core/one.js\'\nexport const two = one + 1\n')
  symlinkSync(modules, join(root, 'node_modules'))
  return { root, write, read: path => readFileSync(join(root, path), 'utf8') }
}

void t.test('builds once, and again what changes, appears or goes', async t => {
  const { root, write, read } = project(t.testdir({}))
  t.equal(isStale(root), true, 'nothing built')
  await ensureBuild(root)
  t.equal(isStale(root), false)
  t.notOk(existsSync(join(root, 'dist/.build-lock')), 'the lock is gone')
  t.equal((await import(join(root, 'dist/apps/cli/src/main.js')) as { two: number }).two, 2, 'subpath imports lead into dist')
  t.equal(statSync(join(root, 'dist/apps/cli/src/main.js')).mode & 0o111, 0o111, 'the command is executable')
  t.match(JSON.parse(read('dist/package.json')), { version: '1.2.3', type: 'module' })
  t.strictSame((JSON.parse(read('dist/libs/core/src/one.js.map')) as { sources: string[] }).sources, ['../../../../libs/core/src/one.ts'])

  utimesSync(join(root, 'libs/core/src/one.ts'), 1000, 1000)
  t.equal(isStale(root), false, 'a time is not a change')
  writeFileSync(join(root, 'dist/apps/cli/src/main.js'), 'untouched')
  write('libs/core/src/one.ts', 'export const one = 2\n')
  utimesSync(join(root, 'libs/core/src/one.ts'), 1000, 1000)
  t.equal(isStale(root), true, 'other bytes are one, at the same length and time')
  await ensureBuild(root)
  t.match(read('dist/libs/core/src/one.js'), 'one = 2')
  t.equal(read('dist/apps/cli/src/main.js'), 'untouched', 'what has not changed is not compiled')

  renameSync(join(root, 'libs/core/src/one.ts'), join(root, 'libs/core/src/three.ts'))
  t.equal(isStale(root), true)
  await ensureBuild(root)
  t.ok(existsSync(join(root, 'dist/libs/core/src/three.js')))
  t.notOk(existsSync(join(root, 'dist/libs/core/src/one.js')), 'no output without a source')
  t.notOk(existsSync(join(root, 'dist/libs/core/src/one.js.map')))
  rmSync(join(root, 'dist/libs/core/src/three.js'))
  t.equal(isStale(root), true, 'an output that is gone')
  await ensureBuild(root)
  write('package.json', read('package.json').replace('1.2.3', '1.2.4'))
  t.equal(isStale(root), true, 'what dist has of package.json')
  await ensureBuild(root)
  t.match(read('dist/package.json'), '1.2.4')
  t.equal(read('dist/apps/cli/src/main.js'), 'untouched')
  write('tsconfig.json', read('tsconfig.json').replace('es2023', 'es2022'))
  t.equal(isStale(root), true, 'other settings are a change of everything')
})

void t.test('a source that does not compile fails the build, and the others are built', async t => {
  const { root, write, read } = project(t.testdir({}))
  write('libs/core/src/one.ts', 'export const one = = 1\n')
  write('dist/.build-lock', '999999999')
  await t.rejects(ensureBuild(root), { message: /The build failed/ }, 'and the lock of a process that is gone does not hold it up')
  t.equal(isStale(root), true)
  t.equal(isStale(root, ['apps/cli/src/main.ts']), false)
  write('libs/core/src/one.ts', 'export const one: number = \'1\'\n')
  await t.rejects(build(root), { message: /The build failed/ }, 'npm run build looks at types')
  await ensureBuild(root)
  t.equal(isStale(root), false, 'a start does not')
  write('libs/core/src/one.ts', 'export const one: number = 5\n')
  await build(root)
  t.match(read('dist/libs/core/src/one.js'), 'one = 5')
})

void t.test('two builds at once', async t => {
  const { root } = project(t.testdir({}))
  await Promise.all([ensureBuild(root), ensureBuild(root)])
  t.equal(isStale(root), false)
  t.notOk(existsSync(join(root, 'dist/.build-lock')))
})

void t.test('a test is built with what it reaches, and with no more', async t => {
  const { root, write } = project(t.testdir({}))
  const text = {
    'libs/core/test/one.test.ts': 'import { one } from \'#core/one.js\'\n',
    'libs/core/test/far.test.ts': 'const x = await import(`../src/far.js`)\n',
    // eslint-disable-next-line no-template-curly-in-string -- that is what the file holds
    'libs/core/src/far.ts': 'export * from "./one.js"\nnew Worker(new URL(`./threads/a${extname(import.meta.filename)}`, import.meta.url))\n',
    'libs/core/src/threads/a.ts': '',
    'libs/core/src/threads/b.ts': 'import \'../threads.js\'\n',
    'libs/core/src/threads.ts': '',
    'apps/cli/test/start.test.ts': 'spawn(process.execPath, [\'dist/apps/cli/src/main.js\'])\n'
  }
  for (const [path, content] of Object.entries(text)) write(path, content)
  const sources = [...Object.keys(text), 'libs/core/src/one.ts', 'apps/cli/src/main.ts']
  const reached = (entry: string): string[] => reachableFrom(root, sources, [entry]).sort()
  t.strictSame(reached('libs/core/test/one.test.ts'), ['libs/core/src/one.ts', 'libs/core/test/one.test.ts'])
  t.strictSame(reached('libs/core/test/far.test.ts'), [
    'libs/core/src/far.ts', 'libs/core/src/one.ts', 'libs/core/src/threads.ts', 'libs/core/src/threads/a.ts', 'libs/core/src/threads/b.ts', 'libs/core/test/far.test.ts'
  ], 'a computed path means its folder')
  t.strictSame(reached('apps/cli/test/start.test.ts'), [...sources].sort(), 'who starts programs may start any')

  write('apps/cli/src/main.ts', 'export const = 1')
  await ensureBuild(root, reached('libs/core/test/one.test.ts'))
  t.ok(existsSync(join(root, 'dist/libs/core/test/one.test.js')), 'what does not compile elsewhere is not in the way')
  t.notOk(existsSync(join(root, 'dist/libs/core/src/far.js')))
})

void t.test('what takes long says what it is and how long it has been at it', async t => {
  let text = ''
  const write = (more: string): void => { text += more }
  const untilTold = async (): Promise<string> => {
    await until(() => text.includes(' s … '))
    return 'built'
  }
  t.equal(await withProgress('Building', untilTold, { write, everyMs: 1 }), 'built')
  t.match(text, /^Building … (?:\d+ s … )+done in \d+\.\d s\n$/)
  text = ''
  await t.rejects(withProgress('Building', async () => { throw new Error('no') }, { write }), { message: 'no' })
  t.match(text, /^Building … failed after \d+\.\d s\n$/)
})

void t.test('without dependencies it says how to get them', async t => {
  await t.rejects(ensureBuild(t.testdir({})), { message: 'Dependencies are not installed: run `npm ci` first.' })
})
