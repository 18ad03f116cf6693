// What was built and whether it still holds: every source with its size and time, as the build found them. Compared for
// equality, because an older time is a change too (a checkout, an unpacked archive).
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ project: string, rooms: string[], withTests: boolean }} Output what is compiled into a folder, and by which settings
 * @type {Readonly<Record<'dist' | 'dist-test', Output>>}
 */
export const outputs = {
  dist: { project: 'tsconfig.build.json', rooms: ['apps', 'libs', 'scripts', 'e2e', 'bench', 'fuzz', 'simulation'], withTests: false },
  'dist-test': { project: 'tsconfig.test.json', rooms: ['apps', 'libs', 'scripts', 'e2e', 'bench', 'fuzz', 'simulation', 'test'], withTests: true }
}

const settings = ['package.json', 'package-lock.json', 'tsconfig.json']
const stampOf = (root, output) => join(root, output, '.build-state.json')

/** Paths of the files under `folder` for which `wanted` holds; those in folders called test only if `withTests`. */
export function listFiles (root, folder, wanted, withTests) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'test' && !withTests ? [] : listFiles(root, path, wanted, withTests)
    return wanted(path) ? [path] : []
  })
}

/** The sources of a build and what identifies their content. */
export function readSources (root, output) {
  const { project, rooms, withTests } = outputs[output]
  const sources = rooms.flatMap(room => listFiles(root, room, path => path.endsWith('.ts'), withTests))
  const state = {}
  for (const path of [...settings, project, ...sources].sort()) {
    const { mtimeMs, size } = statSync(join(root, path), { throwIfNoEntry: false }) ?? {}
    if (size !== undefined) state[path] = `${mtimeMs}:${size}`
  }
  return state
}

/** Whether the folder `output` is missing or was made from other sources than there are now. */
export function isStale (root, output = 'dist') {
  let built
  try {
    built = readFileSync(stampOf(root, output), 'utf8')
  } catch {
    return true // never built, or the last build failed
  }
  return built !== JSON.stringify(readSources(root, output))
}

/** Records `sources`, read before the compiler started: what changed meanwhile is then seen as a change. */
export function recordBuild (root, output, sources) {
  writeFileSync(stampOf(root, output), JSON.stringify(sources))
}
