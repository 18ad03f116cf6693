// The options of `npm run simulate`, once: what parses them and what `--help` says derive from the same table.
import type { Result } from '#core/result.js'
import { helpText, numberFrom, readCommandLine, type Values } from '#testkit/command-line.js'
import { plants, type Plant } from './checks/plants.js'

export interface SimulationOptions {
  readonly seeds: number
  readonly steps: number
  /** The first seed; the others follow. */
  readonly seed: number
  readonly plant: Plant | undefined
  /** Whether every world has directors that share a store. */
  readonly shared: boolean
}

const table = {
  seeds: { value: 'NUMBER', fallback: '200', help: 'how many worlds' },
  steps: { value: 'NUMBER', fallback: '2000', help: 'how long each of them lasts' },
  seed: { value: 'NUMBER', fallback: '1', help: 'the first seed; the others follow it' },
  plant: { value: 'NAME', help: 'plant a bug and see that it is found; see simulation/checks/plants.ts' },
  shared: { help: 'only worlds whose directors share a store' }
} as const

export const help = helpText([
  'npm run simulate -- [OPTIONS]',
  '',
  'Runs the director with both of its processes on a virtual clock and a simulated network, with players, attackers,',
  'operators and crashes, and checks at every step what must hold. One seed in ten has several directors behind a',
  'balancer, most of them on a store that they share. The same seed makes the same run. Ends with 1 and the command',
  'that replays it when something does not hold.'
], table)

/** Reads the words of a command line; undefined if they ask for help, and the error is one sentence. */
export function readOptions (args: readonly string[]): Result<SimulationOptions | undefined, string> {
  return readCommandLine(args, table, from)
}

function from ({ seeds, steps, seed, plant, shared }: Values<typeof table>): SimulationOptions {
  return {
    seeds: numberFrom('seeds', String(seeds), 1),
    steps: numberFrom('steps', String(steps), 1),
    seed: numberFrom('seed', String(seed), 0),
    plant: plant === undefined ? undefined : plantFrom(String(plant)),
    shared: shared === true
  }
}

function plantFrom (name: string): Plant {
  if (!Object.hasOwn(plants, name)) throw new Error(`--plant takes one of ${Object.keys(plants).join(', ')}, not "${name}"`)
  return name as Plant
}
