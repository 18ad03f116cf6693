// Compiles to dist, which mirrors the repository: `#core/*` and the relative paths mean the same there as here.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listFiles, readSources, recordBuild } from './build-state.mjs'

/** Builds `root`; throws with one sentence when that does not work. The compiler's own words go to stderr. */
export function build (root) {
  const sources = readSources(root)
  mkdirSync(join(root, 'dist'), { recursive: true })
  rmSync(join(root, 'dist', '.build-state.json'), { force: true })
  compile(root)
  removeOrphans(root)
  writePackage(root)
  makeExecutable(join(root, 'dist/apps/cli/src/main.js'))
  recordBuild(root, sources)
}

function compile (root) {
  const compiler = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  // stdout to stderr: whoever pipes the output of `npm start` wants only what the program says.
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('The build failed; the compiler says why above.')
}

/** Output of sources that are gone would still run, and hide that something imports it. */
function removeOrphans (root) {
  const outputs = listFiles(root, 'dist', path => path.endsWith('.js') || path.endsWith('.js.map'))
  for (const output of outputs) {
    const source = output.slice('dist/'.length).replace(/\.js(?:\.map)?$/, '.ts')
    if (!existsSync(join(root, source))) rmSync(join(root, output))
  }
}

function writePackage (root) {
  const { name, version, type, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(root, 'dist/package.json'), JSON.stringify({ name, version, private: true, type, imports }, null, 2) + '\n')
}

function makeExecutable (path) {
  if (existsSync(path)) chmodSync(path, 0o755)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build(fileURLToPath(new URL('..', import.meta.url)))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
