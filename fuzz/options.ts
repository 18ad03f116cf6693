// The options of `npm run fuzz`, once: what reads them and what `--help` says are the same.
import type { Result } from '#core/result.js'
import { helpText, numberFrom, readCommandLine, type Values } from '#testkit/command-line.js'
import type { FuzzTarget } from './fuzz-target.js'
import { fuzzTargets } from './table.js'

export interface FuzzOptions {
  /** For each target. */
  readonly seconds: number
  readonly targets: readonly FuzzTarget[]
  readonly seed: number | undefined
  readonly path: string | undefined
}

const table = {
  seconds: { value: 'NUMBER', fallback: '10', help: 'how long each target is tried' },
  target: { value: 'NAME', fallback: undefined, help: 'this one only' },
  seed: { value: 'NUMBER', fallback: undefined, help: 'where the choice of inputs starts; default: a new one each time' },
  path: { value: 'PATH', fallback: undefined, help: 'with --target and --seed: the one failure that was told so' }
} as const

export const help = [
  helpText([
    'npm run fuzz -- [OPTIONS]',
    '',
    'Feeds inputs that nobody meant to everything that reads what others send. Ends with 1 if something gave way, and tells the',
    'input, as small as it could be made, and the command that replays it.'
  ], table),
  '',
  'Targets:',
  ...fuzzTargets.map(({ name, what }) => `  ${name.padEnd(22)}${what}`)
].join('\n')

/** Reads the words of the command line; undefined if they ask for help, and the error is one sentence. */
export function readOptions (args: readonly string[]): Result<FuzzOptions | undefined, string> {
  return readCommandLine(args, table, optionsFrom)
}

function optionsFrom ({ seconds, target, seed, path }: Values<typeof table>): FuzzOptions {
  const targets = fuzzTargets.filter(({ name }) => target === undefined || name === target)
  if (targets.length === 0) throw new Error(`--target takes ${fuzzTargets.map(({ name }) => name).join(', ')}, not "${String(target)}"`)
  if (path !== undefined && (target === undefined || seed === undefined)) throw new Error('--path goes with --target and --seed')
  return {
    seconds: numberFrom('seconds', String(seconds), 0.1, true),
    targets,
    seed: seed === undefined ? undefined : numberFrom('seed', String(seed), -(2 ** 31)),
    path: path as string | undefined
  }
}
