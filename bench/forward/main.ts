// `npm run bench`: what forwarding costs. Everything is a process of its own, on loopback, and ended at the end.
import { writeFile } from 'node:fs/promises'
import { ExitCode } from '#core/exit-code.js'
import { endAll, endOnSignal } from '#testkit/processes/child.js'
import { NoLibc, openLibc } from '../../apps/proxy/src/engines/batch/system/libc.js'
import { machine } from '../table.js'
import { chartOf } from './chart.js'
import { runExperiment, titleOf, type Outcome } from './experiments.js'
import { openLab } from './lab.js'
import { help, readOptions, type BenchOptions } from './options.js'
import { reportOf } from './report.js'

const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  process.stderr.write(`${options.error}\n`)
  process.exit(ExitCode.usage)
}
endOnSignal()
// The load generator and the target make the system calls that the batch engine makes.
const fault = await openLibc().then(() => undefined, (error: unknown) => {
  if (error instanceof NoLibc) return error.message
  throw error
})
if (fault !== undefined && options.value !== undefined) {
  process.stderr.write(`The benchmark cannot run here: ${fault}.\n`)
  process.exit(ExitCode.failed)
}
if (options.value === undefined) process.stdout.write(`${help}\n`)
else await run(options.value)

async function run (options: BenchOptions): Promise<void> {
  const where = machine(new Date())
  const lab = await openLab()
  const outcomes: Outcome[] = []
  try {
    for (const [index, experiment] of options.experiments.entries()) {
      say(`${index + 1} of ${options.experiments.length}: ${titleOf(experiment)}`)
      outcomes.push(await runExperiment({ lab, options, say }, experiment))
    }
  } finally {
    await lab.close()
    await endAll()
  }
  process.stdout.write([where, lab.cores.said, `medians of ${options.rounds} rounds`, '', reportOf(outcomes), ''].join('\n'))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ machine: where, cores: lab.cores.said, options, outcomes }, null, 2)}\n`)
  if (options.svg !== undefined) await writeFile(options.svg, chartOf(outcomes, where))
}

function say (text: string): void {
  process.stderr.write(`${text}\n`)
}
