// `npm run bench:resilience`: what a kill and a flood cost those who play. Everything is a process of its own, on loopback,
// and ended at the end.
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { ExitCode } from '#core/exit-code.js'
import { endOnSignal } from '#testkit/processes/child.js'
import { machine } from '../table.js'
import { runFlood } from './flood.js'
import { help, readOptions, type BenchOptions } from './options.js'
import { faultsOf, reportOf, type FloodOutcome, type RestartOutcome } from './report.js'
import { runRestart, type RestartFigures } from './restart.js'

const options = readOptions(process.argv.slice(2))
if (!options.ok) {
  process.stderr.write(`${options.error}\n`)
  process.exit(ExitCode.usage)
}
endOnSignal()
if (options.value === undefined) process.stdout.write(`${help}\n`)
else await run(options.value)

async function run (options: BenchOptions): Promise<void> {
  const where = `${machine(new Date())}; load before it ${loadavg()[0]!.toFixed(1)}`
  const restarts: RestartOutcome[] = []
  const floods: FloodOutcome[] = []
  for (const kind of options.kinds) {
    if (kind === 'flood' || kind === 'flood-default') {
      say(`${kind}: ${options.flood} first datagrams`)
      const hasDefault = kind === 'flood-default'
      floods.push({ hasDefault, sessions: options.floodSessions, figures: await runFlood(hasDefault, options) })
    } else restarts.push({ kind, sessions: options.sessions, rounds: await rounds(options.rounds, kind, async () => await runRestart(kind, options)) })
  }
  const notes = [where, `engine ${options.engine}; ${options.sessions} sessions, ${options.perSecond} datagrams/s; medians of ${options.rounds} rounds; nothing is pinned`]
  process.stdout.write([...notes, '', reportOf(restarts, floods), ''].join('\n'))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ machine: where, options, restarts, floods }, null, 2)}\n`)
  if (faultsOf(restarts, floods).length > 0) process.exitCode = ExitCode.failed
}

async function rounds (count: number, what: string, measure: () => Promise<RestartFigures>): Promise<readonly RestartFigures[]> {
  const figures: RestartFigures[] = []
  for (let round = 0; round < count; round++) {
    figures.push(await measure())
    say(`${what}, round ${round + 1} of ${count}: ${Object.entries(figures[round]!).map(([name, value]) => `${name} ${Math.round(value as number)}`).join(', ')}`)
  }
  return figures
}

function say (text: string): void {
  process.stderr.write(`${text}\n`)
}
