// When dist counts as stale, and what a build leaves behind; on a project of three files in a temporary folder.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { until } from '#testkit/patience.js'

const { isStale } = await import(pathToFileURL('scripts/build-state.mjs').href) as { isStale: (root: string, output?: string) => boolean }
const { build } = await import(pathToFileURL('scripts/build.mjs').href) as { build: (root: string) => Promise<void> }
const { ensureBuild } = await import(pathToFileURL('scripts/ensure-build.mjs').href) as { ensureBuild: (root: string) => Promise<void> }
const { withProgress } = await import(pathToFileURL('scripts/progress.mjs').href) as { withProgress: <Value>(words: string, work: () => Promise<Value>, options: { write: (text: string) => void, everyMs?: number }) => Promise<Value> }

const modules = resolve('node_modules')

function project (root: string): (path: string, text: string) => void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const compilerOptions = { rootDir: '.', outDir: 'dist', module: 'nodenext', target: 'es2023', lib: ['es5'], types: [], skipLibCheck: true }
  write('package.json', JSON.stringify({ name: 'x', version: '1.2.3', type: 'module', imports: { '#core/*': './libs/core/src/*' } }))
  write('tsconfig.build.json', JSON.stringify({ compilerOptions, include: ['apps', 'libs'], exclude: ['**/test/**'] }))
  write('libs/core/src/one.ts', 'export const one = 1\n')
  write('apps/cli/src/main.ts', '#!/usr/bin/env node\nimport { one } from \'#core/one.js\'\nexport const two = one + 1\n')
  symlinkSync(modules, join(root, 'node_modules'))
  return write
}

void t.test('builds once, and again when a source changes, appears or goes', async t => {
  const root = t.testdir({})
  const write = project(root)
  t.equal(isStale(root), true, 'nothing built')
  await ensureBuild(root)
  t.equal(isStale(root), false)
  t.notOk(existsSync(join(root, 'dist/.build-lock')), 'the lock is gone')
  t.equal((await import(join(root, 'dist/apps/cli/src/main.js')) as { two: number }).two, 2, 'subpath imports lead into dist')
  t.equal(statSync(join(root, 'dist/apps/cli/src/main.js')).mode & 0o111, 0o111, 'the command is executable')
  t.match(JSON.parse(readFileSync(join(root, 'dist/package.json'), 'utf8')), { version: '1.2.3', type: 'module' })

  write('libs/core/test/one.test.ts', 'tests are not built')
  t.equal(isStale(root), false)
  utimesSync(join(root, 'libs/core/src/one.ts'), 1000, 1000)
  t.equal(isStale(root), true, 'an older time is a change too')
  write('libs/core/src/three.ts', 'export const three = 3\n')
  await ensureBuild(root)
  t.ok(existsSync(join(root, 'dist/libs/core/src/three.js')))
  rmSync(join(root, 'libs/core/src/three.ts'))
  t.equal(isStale(root), true)
  await ensureBuild(root)
  t.notOk(existsSync(join(root, 'dist/libs/core/src/three.js')), 'no output without a source')
})

void t.test('a source that does not compile fails the build, and dist stays stale', async t => {
  const root = t.testdir({})
  const write = project(root)
  write('libs/core/src/one.ts', 'export const one = = 1\n')
  write('dist/.build-lock', '999999999')
  await t.rejects(ensureBuild(root), { message: /The build failed/ }, 'and the lock of a process that is gone does not hold it up')
  t.equal(isStale(root), true)
  write('libs/core/src/one.ts', 'export const one: number = \'1\'\n')
  await ensureBuild(root)
  t.equal(isStale(root), false, 'types are not for a start to check')
  await t.rejects(build(root), { message: /The build failed/ }, 'but for a build')
  t.equal(isStale(root), true)
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
