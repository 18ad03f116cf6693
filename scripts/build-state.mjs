// What was built and whether it still holds: of every source what it is made of (a hash of its bytes), as the build found
// it. Times are not asked: a checkout, an unpacked archive or a copied folder may have any.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Folders with sources; their tests are built too, beside what they test. */
export const rooms = ['apps', 'libs', 'testkit', 'scripts', 'e2e', 'bench', 'fuzz', 'simulation', 'test']

/** Files that every output depends on: how sources are compiled. */
export const settings = ['tsconfig.json', 'scripts/transpile.mjs']

const stampPath = root => join(root, 'dist/.build-state.json')

/**
 * @typedef {Record<string, string>} Hashes by path of the source
 * @typedef {{ settings: string, sources: Hashes }} BuildState what there is, or what was built
 */

/** Paths of the files under `folder` for which `wanted` holds. */
export function listFiles (root, folder, wanted) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return listFiles(root, path, wanted)
    return wanted(path) ? [path] : []
  })
}

/** Paths of all sources, tests among them. */
export function listSources (root) {
  return rooms.flatMap(room => listFiles(root, room, path => path.endsWith('.ts') && !path.endsWith('.d.ts')))
}

/** The file that a source is compiled to. `dist` mirrors the repository: relative paths and `#core/*` mean the same there. */
export function outputOf (source) {
  return `dist/${source.replace(/\.ts$/, '.js')}`
}

/** @returns {BuildState} what the sources are now */
export function readSources (root) {
  const { version } = createRequire(join(root, 'package.json'))('typescript/package.json')
  const own = settings.map(path => existsSync(join(root, path)) ? readFileSync(join(root, path)) : '')
  return {
    settings: hash(version, ...own),
    sources: Object.fromEntries(listSources(root).map(path => [path, hash(readFileSync(join(root, path)))]))
  }
}

/** @returns {BuildState} what the outputs were made from; nothing if that cannot be told */
export function readBuilt (root) {
  try {
    const { settings, sources } = JSON.parse(readFileSync(stampPath(root), 'utf8'))
    return { settings, sources: { ...sources } }
  } catch {
    return { settings: '', sources: {} } // never built, or by a version that kept other notes
  }
}

/**
 * Of `wanted` (all sources, if none are named) those whose output is missing or of another text.
 *
 * @param {BuildState} now
 * @param {BuildState} built
 */
export function findStale (root, now, built, wanted = Object.keys(now.sources)) {
  const outputs = new Set(listFiles(root, 'dist', path => path.endsWith('.js')))
  const isOther = now.settings !== built.settings
  return wanted.filter(path => isOther || now.sources[path] !== built.sources[path] || !outputs.has(outputOf(path)))
}

/** Outputs whose source is gone: they would still run, and hide that something imports them. */
export function findOrphans (root, now) {
  const outputs = new Set(Object.keys(now.sources).map(outputOf))
  return listFiles(root, 'dist', path => /\.js(?:\.map)?$/.test(path) && !outputs.has(path.replace(/\.map$/, '')))
}

/** Whether there is anything to build, of `wanted` or of all. */
export function isStale (root, wanted) {
  const now = readSources(root)
  return findStale(root, now, readBuilt(root), wanted).length > 0 || findOrphans(root, now).length > 0 || !isPackageCurrent(root)
}

/** What dist needs to know of package.json: above all, where `#core/*` leads. */
export function packageText (root) {
  const { name, version, type, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return JSON.stringify({ name, version, private: true, type, imports }, null, 2) + '\n'
}

function isPackageCurrent (root) {
  const path = join(root, 'dist/package.json')
  return existsSync(path) && readFileSync(path, 'utf8') === packageText(root)
}

/** @param {BuildState} state */
export function recordBuild (root, state) {
  replaceFile(stampPath(root), JSON.stringify(state))
}

/** Never half of a file is seen by another process: it is written beside, then renamed. */
export function replaceFile (path, text, mode = 0o666) {
  const beside = `${path}.${process.pid}.new`
  writeFileSync(beside, text, { mode })
  renameSync(beside, path)
}

/** Of what one or several files hold. */
export function hash (...parts) {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part).update('\0')
  return digest.digest('base64url')
}
