// `npm run bench:query`: how long a query takes while the cluster changes, and whether that depends on how much there is.
// The two inventories are up at the same time and measured in turn, so that what else the machine does meets both.
import { writeFile } from 'node:fs/promises'
import { ExitCode } from '#core/exit-code.js'
import { endOnSignal } from '#testkit/processes/child.js'
import type { LoadCalls } from './load/main.js'
import { help, readOptions, type BenchOptions } from './options.js'
import { ratiosOf, tableOf, type Measured } from './report.js'
import { Side, type Figures } from './side.js'
import { machine } from '../table.js'
import { openHelper } from '#testkit/processes/helper.js'

const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  process.stderr.write(`${options.error}\n`)
  process.exit(ExitCode.usage)
}
endOnSignal()
if (options.value === undefined) process.stdout.write(`${help}\n`)
else await run(options.value)

async function run (options: BenchOptions): Promise<void> {
  const load = openHelper<LoadCalls>(new URL('load/main.js', import.meta.url))
  const sides: Side[] = []
  try {
    for (const objects of new Set([options.objects, options.baseline])) {
      say(`Starting control and proxy with ${objects} GameServers`)
      sides.push(await Side.open(objects, options))
    }
    const figures = await measureAll(options, sides, async (side, connections) => await side.measure(load, connections, options))
    await report(options, sides, figures)
  } finally {
    await Promise.all([load.close(), ...sides.map(async side => { await side.close() })])
  }
}

async function measureAll (options: BenchOptions, sides: readonly Side[], measure: (side: Side, connections: number) => Promise<Figures>): Promise<readonly Measured[]> {
  const measured = sides.flatMap(side => options.connections.map(connections => ({ side, connections, rounds: [] as Figures[] })))
  for (let round = 0; round < options.rounds; round++) {
    for (const count of options.connections) {
      const turn = measured.filter(({ connections }) => connections === count)
      // Neither is always the first.
      for (const { side, connections, rounds } of round % 2 === 0 ? turn : turn.toReversed()) {
        const figures = await measure(side, connections)
        rounds.push(figures)
        say(`round ${round + 1} of ${options.rounds}, objects: ${side.objects}, connections: ${connections}: p50 ${figures.p50Ms.toFixed(2)} ms, p99 ${figures.p99Ms.toFixed(2)} ms, ${figures.queriesPerSecond.toFixed(0)} queries/s`)
      }
    }
  }
  return measured.map(({ side, connections, rounds }) => ({ objects: side.objects, connections, rounds }))
}

async function report (options: BenchOptions, sides: readonly Side[], figures: readonly Measured[]): Promise<void> {
  const where = machine(new Date())
  const sizes = sides.map(({ objects, meanBytes }) => `${objects} of ${(meanBytes / 1000).toFixed(1)} kB`).join(' and ')
  const notes = [where, `GameServers: ${sizes}; ${options.events} events/s; medians of ${options.rounds} rounds of ${options.seconds} s, RSS the largest`]
  process.stdout.write([...notes, '', tableOf(figures), '', ...ratiosOf(figures, options), ''].join('\n'))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ machine: where, options, figures }, null, 2)}\n`)
}

function say (text: string): void {
  process.stderr.write(`${text}\n`)
}
