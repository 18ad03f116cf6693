// `npm test [-- paths of test files]`: builds the programs and the tests, runs them, shows a line a file and every failure
// with its details, keeps the raw TAP in .tap/last-run.tap, and closes with `N passed, N failed`.
//
// Tests run compiled, because a process that compiles what it imports takes twice as long. `npm run coverage` is tap's own
// runner on the sources, which knows how to measure; so is `npx tap run FILE`, for a single test.
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { listFiles } from './build-state.mjs'
import { ensureBuild } from './ensure-build.mjs'
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

/** The compiled files of the tests in `paths`, or of all tests of the product: those of the benchmarks only when asked for. */
function compiledTests (paths) {
  const all = listFiles(root, 'dist-test', path => path.endsWith('.test.js'), true)
  if (paths.length === 0) return all.filter(file => !isAt(file, 'dist-test/bench'))
  const wanted = paths.map(path => `dist-test/${relative(root, resolve(path)).replace(/\.ts$/, '')}`)
  const unknown = paths.find((_, index) => !all.some(file => isAt(file, wanted[index])))
  if (unknown !== undefined) throw new Error(`No test file is at ${unknown}.`)
  return all.filter(file => wanted.some(path => isAt(file, path)))
}

function isAt (file, path) {
  return file === `${path}.js` || file.startsWith(`${path}/`)
}

async function runnerArgs (args) {
  if (args.includes('--coverage')) {
    const tap = join(dirname(createRequire(import.meta.url).resolve('tap/package.json')), 'dist/esm/run.mjs')
    return [tap, 'run', '--reporter=tap', ...args.filter(arg => arg !== '--coverage')]
  }
  await ensureBuild(root, 'dist-test')
  return ['scripts/run-tests.mjs', ...compiledTests(args)]
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
  await ensureBuild(root)
  const outcome = await run(process.argv.slice(2))
  showEnd(outcome)
  process.exitCode = outcome.exit === 0 && outcome.failed === 0 && outcome.passed > 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
  console.log('\n0 passed, 1 failed')
  process.exitCode = 1
}
