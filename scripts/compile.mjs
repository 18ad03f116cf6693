// Compiles the sources to dist, one by one: who changes one line waits for one file. Types are not looked at here; that is
// for `npm run build` and `npm run lint`.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { findOrphans, findStale, hash, outputOf, packageText, readBuilt, readSources, recordBuild, replaceFile } from './build-state.mjs'
import { createTranspiler } from './transpile.mjs'

export const FAILED = 'The build failed; the compiler says why above.'

/** The commands that npm links; every other program is started with node. */
const isCommand = path => path === 'apps/cli/src/main.ts'

/**
 * Makes dist what the sources of `root` are, those of `wanted` or all; rejects with one sentence if that does not work.
 * The compiler's own words go to stderr.
 */
export async function compile (root, wanted) {
  const now = readSources(root)
  const built = readBuilt(root)
  const stale = findStale(root, now, built, wanted)
  // A build that is killed leaves no source marked as built whose output it has begun to replace.
  const kept = built.settings === now.settings ? { ...built.sources } : {}
  for (const path of stale) delete kept[path]
  mkdirSync(join(root, 'dist'), { recursive: true })
  recordBuild(root, { settings: now.settings, sources: kept })
  for (const path of findOrphans(root, now)) rmSync(join(root, path), { force: true })
  replaceFile(join(root, 'dist/package.json'), packageText(root))
  const faults = stale.length === 0 ? [] : await compileEach(root, stale, kept)
  recordBuild(root, { settings: now.settings, sources: kept })
  process.stderr.write(faults.join(''))
  if (faults.length > 0) throw new Error(FAILED)
}

/** Compiles what it can of `paths` and notes that in `done`; resolves to the compiler's words about the rest. */
async function compileEach (root, paths, done) {
  const transpile = createTranspiler(root)
  const faults = []
  for (const path of paths) {
    const text = readFileSync(join(root, path), 'utf8')
    const { fault, code, map } = transpile(path, text)
    if (fault === undefined) {
      writeOutput(join(root, outputOf(path)), code, map, isCommand(path) ? 0o777 : 0o666)
      done[path] = hash(text) // of what was compiled: it may have changed since the first look
    } else faults.push(fault)
    await nextTurn() // who shows how long this takes has a turn
  }
  return faults
}

function writeOutput (path, code, map, mode) {
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(`${path}.map`, map)
  replaceFile(path, code, mode)
}
