// Compiles to dist, or with the tests to dist-test. Both mirror the repository: `#core/*` and relative paths mean the same
// there as here.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listFiles, outputs, readSources, recordBuild } from './build-state.mjs'

/**
 * Builds the folder `output` of `root`; rejects with one sentence when that does not work. The compiler's own words go to
 * stderr. Types are checked where `isChecked`: half of the time, and who only wants to start what is there can do without.
 */
export async function build (root, output = 'dist', isChecked = true) {
  const sources = readSources(root, output)
  mkdirSync(join(root, output), { recursive: true })
  rmSync(join(root, output, '.build-state.json'), { force: true })
  await compile(root, outputs[output].project, isChecked)
  removeOrphans(root, output)
  writePackage(root, output)
  makeExecutable(join(root, output, 'apps/cli/src/main.js'))
  recordBuild(root, output, sources)
}

async function compile (root, project, isChecked) {
  const compiler = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  // stdout to stderr: whoever pipes the output of `npm start` wants only what the program says.
  const child = spawn(process.execPath, [compiler, '-p', project, ...isChecked ? [] : ['--noCheck']], { cwd: root, stdio: ['ignore', 2, 2] })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error('The build failed; the compiler says why above.')
}

/** Output of sources that are gone would still run, and hide that something imports it. */
function removeOrphans (root, output) {
  for (const path of listFiles(root, output, path => path.endsWith('.js') || path.endsWith('.js.map'), true)) {
    const source = path.slice(output.length + 1).replace(/\.js(?:\.map)?$/, '.ts')
    if (!existsSync(join(root, source))) rmSync(join(root, path))
  }
}

function writePackage (root, output) {
  const { name, version, type, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(root, output, 'package.json'), JSON.stringify({ name, version, private: true, type, imports }, null, 2) + '\n')
}

function makeExecutable (path) {
  if (existsSync(path)) chmodSync(path, 0o755)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build(fileURLToPath(new URL('..', import.meta.url)))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
