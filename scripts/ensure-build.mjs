// Builds when dist is missing or stale, so that a fresh clone needs no step between `npm ci` and `npm start`.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStale } from './build-state.mjs'
import { compile } from './compile.mjs'
import { withProgress } from './progress.mjs'

/** Two terminals may start two processes at once: the second waits for the first one's build. */
async function lock (path, onWait) {
  for (let isFirst = true; ; isFirst = false) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned(path)) rmSync(path, { force: true })
    else {
      if (isFirst) onWait()
      await sleep(100)
    }
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

/**
 * Makes sure that dist is what the sources of `root` are: all, or only those of `wanted`. Throws with one sentence when
 * that does not work.
 */
export async function ensureBuild (root, wanted) {
  if (!existsSync(join(root, 'node_modules', 'typescript'))) {
    throw new Error('Dependencies are not installed: run `npm ci` first.')
  }
  if (!isStale(root, wanted)) return
  mkdirSync(join(root, 'dist'), { recursive: true })
  const path = join(root, 'dist/.build-lock')
  await lock(path, () => { process.stderr.write('Another process is building; waiting for it.\n') })
  try {
    if (isStale(root, wanted)) await withProgress('Compiling what has changed', async () => { await compile(root, wanted) })
  } finally {
    rmSync(path, { force: true })
  }
}
