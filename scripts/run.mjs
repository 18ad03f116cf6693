// `node scripts/run.mjs ENTRY [ARGUMENTS]`: builds if dist is stale, then becomes that program. In one process, so that
// signals and exit codes are the program's own.
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureBuild } from './ensure-build.mjs'

const [entry, ...args] = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
const program = fileURLToPath(new URL(`../dist/${entry}`, import.meta.url))
try {
  await ensureBuild(root)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.argv = [process.execPath, program, ...args]
await import(pathToFileURL(program).href)
