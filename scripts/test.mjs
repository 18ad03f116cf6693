// `npm test [-- paths of test files]`: compiles what those tests need, runs them, shows a line a file and every failure with
// its details, keeps the raw TAP in .tap/last-run.tap, and closes with `N passed, N failed`.
// `npm test -- --inspect-brk FILE` runs one file and waits for a debugger.
//
// Tests run compiled, because a process that compiles what it imports takes twice as long. `npm run coverage` is tap's own
// runner on the sources, which knows how to measure.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { listSources, outputOf } from './build-state.mjs'
import { ensureBuild } from './ensure-build.mjs'
import { reachableFrom } from './mentions.mjs'
import { createTapReader } from './tap-reader.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const rawTap = '.tap/last-run.tap'

/** What the runner tells about a file that ended badly; the rest of that block is its command line. */
const worthSaying = /^\s*(?:exitCode|signal|expired):/

/** The coverage summary comes after the TAP and is for people; `npx tap report` shows it by file and line. */
const coverageLine = /^(?:=+ Coverage summary|(?:Statements|Branches|Functions|Lines) +:|ERROR: Coverage)/

function showFile ({ name, ok, ms, passed, failures, skips }) {
  const counts = [`${passed} passed`, failures.length > 0 && `${failures.length} failed`, skips.length > 0 && `${skips.length} skipped`]
  console.log(`${ok ? '  ok' : 'FAIL'}  ${name}  ${counts.filter(Boolean).join(', ')} (${(ms / 1000).toFixed(1)} s)`)
  for (const { path, details } of failures) showFailure(path, details)
}

function showFailure (path, details) {
  console.log(`\n      ✖ ${path.slice(1).join(' › ') || path[0]}`)
  const aboutProcess = details.some(line => line.trimStart().startsWith('command: '))
  for (const line of aboutProcess ? details.filter(line => worthSaying.test(line)) : details) console.log(`        ${line}`)
  console.log()
}

/** The tests in `paths`, or all tests of the product: those of the benchmarks only when asked for. */
function findTests (sources, paths) {
  const all = sources.filter(path => path.endsWith('.test.ts'))
  if (paths.length === 0) return all.filter(file => !file.startsWith('bench/'))
  const wanted = paths.map(path => relative(root, resolve(path)))
  const unknown = wanted.findIndex(path => !all.some(file => isAt(file, path)))
  if (unknown !== -1) throw new Error(`No test file is at ${paths[unknown]}.`)
  return all.filter(file => wanted.some(path => isAt(file, path)))
}

function isAt (file, path) {
  return path === '' || file === path || file === `${path}.ts` || file.startsWith(`${path}/`)
}

/** Compiles the tests in `paths` and all that they reach: their files, compiled. */
async function buildTests (paths) {
  const sources = listSources(root)
  const tests = findTests(sources, paths)
  await ensureBuild(root, paths.length === 0 ? sources : reachableFrom(root, sources, tests))
  return tests.map(outputOf)
}

async function runnerArgs (args) {
  if (!args.includes('--coverage')) return ['scripts/run-tests.mjs', ...await buildTests(args)]
  await ensureBuild(root) // some tests start programs
  const tap = join(dirname(createRequire(import.meta.url).resolve('tap/package.json')), 'dist/esm/run.mjs')
  return [tap, 'run', '--reporter=tap', ...args.filter(arg => arg !== '--coverage')]
}

/** Runs one test file by itself, stopped before its first line, with no limit of time and its TAP as it comes. */
async function debug (inspect, paths) {
  const files = await buildTests(paths)
  if (files.length !== 1) throw new Error(`A debugger can follow one test file, and these are ${files.length}.`)
  const child = spawn(process.execPath, [...inspect, '--enable-source-maps', ...files], { cwd: root, stdio: 'inherit', env: { ...process.env, TAP_TIMEOUT: '0' } })
  // It waits for a debugger for as long as it takes, but not for longer than we are there.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { child.kill('SIGKILL') })
  const [code] = await once(child, 'exit')
  return code ?? 1
}

async function run (args) {
  const runner = spawn(process.execPath, await runnerArgs(args), { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => {
    runner.once('error', reject)
    runner.once('exit', (code, signal) => { resolve(code ?? signal) })
  })
  mkdirSync(join(root, dirname(rawTap)), { recursive: true })
  const raw = createWriteStream(join(root, rawTap))
  const reader = createTapReader({ onFile: showFile })
  for await (const line of createInterface({ input: runner.stdout })) {
    raw.write(`${line}\n`)
    reader.readLine(line)
    if (coverageLine.test(line)) console.log(line)
  }
  raw.end()
  return { exit: await ended, ...reader.end() }
}

function showEnd ({ exit, passed, failed, skips, files }) {
  for (const { path, directive, why } of skips) console.log(`${directive.toLowerCase()}: ${path.join(' › ')}${why === '' ? '' : ` (${why})`}`)
  if (files === 0) console.log('No test ran.')
  else if (failed === 0 && exit !== 0) console.log(`Every assertion passed, but the runner ended with ${exit}: is coverage below the thresholds of .taprc?`)
  console.log(`\n${passed} passed, ${failed} failed`)
}

try {
  const args = process.argv.slice(2)
  const inspect = args.filter(arg => arg.startsWith('--inspect'))
  if (inspect.length > 0) process.exitCode = await debug(inspect, args.filter(arg => !inspect.includes(arg)))
  else {
    const outcome = await run(args)
    showEnd(outcome)
    process.exitCode = outcome.exit === 0 && outcome.failed === 0 && outcome.passed > 0 ? 0 : 1
  }
} catch (error) {
  console.error(error.message)
  console.log('\n0 passed, 1 failed')
  process.exitCode = 1
}
