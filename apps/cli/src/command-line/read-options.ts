// Options against a command's row of the table: names, values, how often. Node's parseArgs cuts the words apart; the
// checks are ours, because a misspelled option deserves the name of the right one.
import { parseArgs } from 'node:util'
import { nearest } from '#config/nearest.js'
import { err, ok, type Result } from '#core/result.js'
import { commands, type CommandName, type OptionRow } from './commands.js'

/** What was given: a switch is there with no values, any other option with one or more. */
export type GivenOptions = ReadonlyMap<string, readonly string[]>

/** Reads the words after the command; the error is one sentence. `help` is always allowed. */
export function readOptions (command: CommandName, words: readonly string[]): Result<GivenOptions, string> {
  const rows: Readonly<Record<string, OptionRow>> = { ...commands[command].options, help: { help: '' } }
  const types = Object.entries(rows).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const)
  const { tokens } = parseArgs({ args: [...words], options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } }, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') return err(`${command} takes no argument "${token.value}".${didYouMeanOption(token.value, rows)}`)
    if (token.kind === 'option-terminator') continue
    const fault = faultOf(command, rows, token, given)
    if (fault !== undefined) return err(fault)
    given.set(token.name, [...given.get(token.name) ?? [], ...token.value === undefined ? [] : [token.value]])
  }
  return ok(given)
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function faultOf (command: CommandName, rows: Readonly<Record<string, OptionRow>>, token: OptionToken, given: GivenOptions): string | undefined {
  const { name, rawName, value, inlineValue } = token
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined
  if (row === undefined) return `${command} has no option ${rawName}.${didYouMeanOption(name, rows)}`
  if (row.value === undefined) return value === undefined ? undefined : `${rawName} takes no value.`
  // "--config --help" is a forgotten value, not a file of that name; --config=--help would be one.
  const isMissing = value === undefined || value === '' || (inlineValue !== true && value.startsWith('--'))
  if (isMissing) return `${rawName} needs a value: ${rawName} ${row.value}`
  return row.isRepeatable !== true && given.has(name) ? `${rawName} is given twice.` : undefined
}

// The dashes are everybody's: with them any two short names would be near each other.
function didYouMeanOption (word: string, rows: Readonly<Record<string, OptionRow>>): string {
  const name = nearest(word, Object.keys(rows))
  return name === undefined ? '' : ` Did you mean --${name}?`
}
