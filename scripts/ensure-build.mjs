// Builds when dist is missing or stale, so that a fresh clone needs no step between `npm ci` and `npm start`. Types are for
// `npm run build` and `npm run lint` to check.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStale } from './build-state.mjs'
import { build } from './build.mjs'
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

/** Makes sure that the folder `output` of `root` is what the sources say; throws with one sentence when that does not work. */
export async function ensureBuild (root, output = 'dist') {
  if (!existsSync(join(root, 'node_modules', 'typescript'))) {
    throw new Error('Dependencies are not installed: run `npm ci` first.')
  }
  if (!isStale(root, output)) return
  mkdirSync(join(root, output), { recursive: true })
  const path = join(root, output, '.build-lock')
  await lock(path, () => { process.stderr.write('Another process is building; waiting for it.\n') })
  try {
    if (!isStale(root, output)) return
    const what = output === 'dist' ? 'the programs' : 'the tests'
    await withProgress(`Building ${what}, as after every change`, async () => { await build(root, output, false) })
  } finally {
    rmSync(path, { force: true })
  }
}
