// `npm run fuzz`: every target for a while, one after the other. The summary is on stdout, progress on stderr.
import { randomInt } from 'node:crypto'
import { ExitCode } from '#core/exit-code.js'
import { help, readOptions, type FuzzOptions } from './options.js'
import { replayCommand, runTarget, type Finding } from './run-target.js'

/** Inputs between two looks at the clock. */
const RUNS_PER_ROUND = 50

const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  process.stderr.write(`${options.error}\n`)
  process.exit(ExitCode.usage)
}
if (options.value === undefined) process.stdout.write(`${help}\n`)
else process.exitCode = await fuzz(options.value)

async function fuzz ({ targets, seconds, path, seed = randomInt(2 ** 31) }: FuzzOptions): Promise<ExitCode> {
  const findings: Finding[] = []
  let total = 0
  for (const target of targets) {
    process.stderr.write(`${target.name} …\n`)
    const startedMs = performance.now()
    const goesOn = (): boolean => path === undefined && performance.now() - startedMs < seconds * 1000
    const { runs, finding } = await runTarget(target, { seed, goesOn, runsPerRound: RUNS_PER_ROUND, path })
    total += runs
    process.stdout.write(`${target.name.padEnd(20)} ${String(runs).padStart(9)} inputs ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s${finding === undefined ? '' : '   FAILED'}\n`)
    if (finding !== undefined) findings.push(finding)
  }
  for (const finding of findings) process.stdout.write(`\n${finding.target}: ${finding.error.stack ?? finding.error.message}\n\ninput: ${finding.input}\nreplay: ${replayCommand(finding)}\n`)
  process.stdout.write(`\n${targets.length} ${targets.length === 1 ? 'target' : 'targets'}, ${total} inputs, ${findings.length} failed; seed ${seed}\n`)
  return findings.length === 0 ? ExitCode.ok : ExitCode.failed
}
