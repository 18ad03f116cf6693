// What was built and whether it still holds: every source with its size and time, as the build found them. Compared for
// equality, because an older time is a change too (a checkout, an unpacked archive).
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const rooms = ['apps', 'libs', 'scripts', 'e2e', 'bench']
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
const stampOf = root => join(root, 'dist', '.build-state.json')

/** Paths of the files under `folder` for which `wanted` holds; tests are not built and not looked at. */
export function listFiles (root, folder, wanted) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'test' ? [] : listFiles(root, path, wanted)
    return wanted(path) ? [path] : []
  })
}

/** The sources of a build and what identifies their content. */
export function readSources (root) {
  const sources = rooms.flatMap(room => listFiles(root, room, path => path.endsWith('.ts')))
  const state = {}
  for (const path of [...settings, ...sources].sort()) {
    const { mtimeMs, size } = statSync(join(root, path), { throwIfNoEntry: false }) ?? {}
    if (size !== undefined) state[path] = `${mtimeMs}:${size}`
  }
  return state
}

/** Whether dist is missing or was made from other sources than there are now. */
export function isStale (root) {
  let built
  try {
    built = readFileSync(stampOf(root), 'utf8')
  } catch {
    return true // never built, or the last build failed
  }
  return built !== JSON.stringify(readSources(root))
}

/** Records `sources`, read before the compiler started: what changed meanwhile is then seen as a change. */
export function recordBuild (root, sources) {
  writeFileSync(stampOf(root), JSON.stringify(sources))
}
