// Options of a command of ours, from one table: what reads them and what `--help` says are the same.
import { parseArgs } from 'node:util'
import { err, ok, type Result } from '#core/result.js'

export interface Option {
  /** What the value is called in the help; an option without one is on or off. */
  readonly value?: string
  /** What is meant when the option is not given. */
  readonly fallback?: string | undefined
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

/** The values by name; those of options that are on or off are `true` or undefined. */
export type Values<Table extends Options> = Readonly<Record<keyof Table & string, string | boolean | undefined>>

/** What `--help` prints. */
export function helpText (lines: readonly string[], table: Options): string {
  const rows = Object.entries(table).map(([name, { value, fallback, help }]): readonly [string, string] => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    fallback === undefined ? help : `${help} (${fallback})`
  ])
  return [...lines, '', ...[...rows, ['--help', 'this text'] as const].map(([option, help]) => `  ${option.padEnd(22)}${help}`)].join('\n')
}

/**
 * Reads the words of a command line; undefined if they ask for help, and the error is one sentence.
 * @param from makes something of the values, and of the words that belong to no option; what it throws is a fault of the words
 * @param hasWords whether there may be any of these
 */
export function readCommandLine<Table extends Options, Read> (args: readonly string[], table: Table, from: (values: Values<Table>, words: readonly string[]) => Read, { hasWords = false } = {}): Result<Read | undefined, string> {
  try {
    const options = Object.fromEntries(Object.entries(table).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' as const : 'string' as const }]))
    const { values, positionals }: { values: Readonly<Record<string, string | boolean | undefined>>, positionals: string[] } = parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } }, allowPositionals: hasWords })
    const filled = Object.fromEntries(Object.entries(table).map(([name, { fallback }]) => [name, values[name] ?? fallback])) as Values<Table>
    return values['help'] === true ? ok(undefined) : ok(from(filled, positionals))
  } catch (error) {
    return err(`${(error as Error).message} (--help says what there is)`)
  }
}

/** Throws unless `text` is a number from `least` on, and a whole one unless `isFraction`. */
export function numberFrom (name: string, text: string, least: number, isFraction = false): number {
  const number = Number(text)
  const fits = isFraction || Number.isInteger(number)
  if (text.trim() === '' || !fits || !(number >= least && number < Infinity)) throw new Error(`--${name} takes ${isFraction ? '' : 'whole '}numbers from ${least} on, not "${text}"`)
  return number
}
