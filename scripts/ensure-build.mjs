// Builds when dist is missing or stale, so that a fresh clone needs no step between `npm ci` and `npm start`. Types are for
// `npm run build` and `npm run lint` to check.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStale } from './build-state.mjs'
import { build } from './build.mjs'

/** Two terminals may start two processes at once: the second waits for the first one's build. */
async function lock (path) {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned(path)) rmSync(path, { force: true })
    else await sleep(100)
  }
}

function isAbandoned (path) {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0)
    return false
  } catch (error) {
    // ESRCH: its owner was killed. ENOENT: it went away between the two looks, and removing nothing does no harm.
    return error.code === 'ESRCH'
  }
}

/** Makes sure that the folder `output` of `root` is what the sources say; throws with one sentence when that does not work. */
export async function ensureBuild (root, output = 'dist') {
  if (!existsSync(join(root, 'node_modules', 'typescript'))) {
    throw new Error('Dependencies are not installed: run `npm ci` first.')
  }
  if (!isStale(root, output)) return
  mkdirSync(join(root, output), { recursive: true })
  const path = join(root, output, '.build-lock')
  await lock(path)
  try {
    if (!isStale(root, output)) return
    const startedMs = performance.now()
    process.stderr.write(output === 'dist' ? 'Building … ' : 'Building the tests … ')
    build(root, output, false)
    process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
  } finally {
    rmSync(path, { force: true })
  }
}
