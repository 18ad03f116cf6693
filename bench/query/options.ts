// The options of `npm run bench:query`, once: what parses them and what `--help` says derive from the same table.
import type { Result } from '#core/result.js'
import { helpText, numberFrom, readCommandLine, type Values } from '#testkit/command-line.js'

export interface BenchOptions {
  readonly objects: number
  readonly baseline: number
  readonly events: number
  readonly connections: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: number
  /** Where the figures go as JSON. */
  readonly json: string | undefined
  /** Where control leaves a processor profile of each size. */
  readonly profile: string | undefined
}

const table = {
  objects: { value: 'NUMBER', fallback: '10000', help: 'GameServers of the large inventory' },
  baseline: { value: 'NUMBER', fallback: '100', help: 'GameServers of the small one, to compare with' },
  events: { value: 'NUMBER', fallback: '1000', help: 'watch events a second while it is measured' },
  connections: { value: 'LIST', fallback: '1,10,50', help: 'connections that ask at the same time, one request each' },
  rounds: { value: 'NUMBER', fallback: '5', help: 'measurements of each, in turn; the table has the medians' },
  seconds: { value: 'NUMBER', fallback: '4', help: 'length of a measurement' },
  'warm-up': { value: 'NUMBER', fallback: '1', help: 'seconds before each that do not count' },
  json: { value: 'FILE', fallback: undefined, help: 'write all figures there too' },
  profile: { value: 'FOLDER', fallback: undefined, help: 'let control write a profile (--cpu-prof) for each inventory' }
} as const

type Name = keyof typeof table

export const help = helpText([
  'npm run bench:query -- [OPTIONS]',
  '',
  'Measures POST /query of control and proxy, as they are built, on a fake Kubernetes API: a large and a small inventory',
  'in turn, with watch events running. The table is on stdout, everything else on stderr.'
], table)

/** Reads the words of the command line; undefined if they ask for help, and the error is one sentence. */
export function readOptions (args: readonly string[]): Result<BenchOptions | undefined, string> {
  return readCommandLine(args, table, optionsFrom)
}

function optionsFrom (values: Values<typeof table>): BenchOptions {
  const number = (name: Name, least: number): number => numberFrom(name, String(values[name]), least, name === 'seconds' || name === 'warm-up')
  return {
    objects: number('objects', 8),
    baseline: number('baseline', 8),
    events: number('events', 0),
    connections: String(values.connections).split(',').map(count => numberFrom('connections', count, 1)),
    rounds: number('rounds', 1),
    seconds: number('seconds', 0.1),
    warmUp: number('warm-up', 0),
    json: values.json as string | undefined,
    profile: values.profile as string | undefined
  }
}
