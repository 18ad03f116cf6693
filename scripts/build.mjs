// `npm run build`: checks all types, then makes dist what the sources are.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FAILED } from './compile.mjs'
import { ensureBuild } from './ensure-build.mjs'
import { withProgress } from './progress.mjs'

/** Rejects with one sentence if a type does not fit or a source does not compile; the compiler's own words go to stderr. */
export async function build (root) {
  await withProgress('Checking all types', async () => { await checkTypes(root) })
  await ensureBuild(root)
}

/** What was found is kept in dist/.tsbuildinfo, so that the next time takes less. */
async function checkTypes (root) {
  const compiler = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  // stdout to stderr: whoever pipes the output of a command wants only what the program says.
  const child = spawn(process.execPath, [compiler, '--noEmit', '-p', root], { cwd: root, stdio: ['ignore', 2, 2] })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(FAILED)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build(fileURLToPath(new URL('..', import.meta.url)))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
