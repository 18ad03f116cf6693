// From the words of a command line to what is to be done. Pure: no environment, no file, no exit.
import { didYouMean } from '#config/nearest.js'
import { err, ok, type Result } from '#core/result.js'
import { commandNames, isCommandName, MAX_PORT_OFFSET, type CommandName } from './commands.js'
import { queryFromOptions, type QueryInvocation } from './query-options.js'
import { readOptions, type GivenOptions } from './read-options.js'

export interface UpInvocation {
  readonly command: 'up'
  readonly isOnce: boolean
  /** Added to every port. Undefined: not asked for. */
  readonly portOffset: number | undefined
}

export interface ProcessInvocation {
  readonly command: 'serve' | 'control' | 'proxy'
  /** The configuration file; undefined leaves it to the environment. */
  readonly config: string | undefined
}

export type Invocation =
  | { readonly command: 'help', readonly topic: CommandName | undefined }
  | { readonly command: 'version' }
  | UpInvocation
  | ProcessInvocation
  | QueryInvocation

/** A command line that makes no sense. */
export interface UsageFault {
  /** One sentence. */
  readonly message: string
  /** Whose help is worth reading. */
  readonly topic: CommandName | undefined
}

/** Reads the words after the program's name. */
export function parseCommandLine (words: readonly string[]): Result<Invocation, UsageFault> {
  const [first, ...rest] = words
  if (first === undefined) return err({ message: 'Which command?', topic: undefined })
  if (first === '--help' || first === '-h') return ok({ command: 'help', topic: undefined })
  if (first === '--version') return ok({ command: 'version' })
  if (first === 'help') return helpOn(rest)
  if (isCommandName(first)) return parseCommand(first, rest)
  const kind = first.startsWith('-') ? 'option' : 'command'
  const candidates = kind === 'option' ? ['--help', '--version'] : [...commandNames, 'help']
  return err({ message: `There is no ${kind} ${first}.${didYouMean(first, candidates)}`, topic: undefined })
}

function helpOn ([topic]: readonly string[]): Result<Invocation, UsageFault> {
  if (topic === '--help' || topic === '-h') return ok({ command: 'help', topic: undefined })
  if (topic === undefined || isCommandName(topic)) return ok({ command: 'help', topic })
  return err({ message: `There is no command ${topic}.${didYouMean(topic, commandNames)}`, topic: undefined })
}

function parseCommand (command: CommandName, words: readonly string[]): Result<Invocation, UsageFault> {
  const given = readOptions(command, words)
  if (!given.ok) return err({ message: given.error, topic: command })
  if (given.value.has('help')) return ok({ command: 'help', topic: command })
  const invocation = invocationFrom(command, given.value)
  return invocation.ok ? invocation : err({ message: invocation.error, topic: command })
}

function invocationFrom (command: CommandName, given: GivenOptions): Result<Invocation, string> {
  switch (command) {
    case 'up': return upFromOptions(given)
    case 'query': return queryFromOptions(given)
    default: return ok({ command, config: given.get('config')?.[0] })
  }
}

function upFromOptions (given: GivenOptions): Result<UpInvocation, string> {
  const text = given.get('port-offset')?.[0]
  const portOffset = text === undefined ? undefined : Number(text)
  const isSound = text === undefined || (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT_OFFSET)
  if (!isSound) return err(`--port-offset must be a whole number from 0 to ${MAX_PORT_OFFSET}, not ${text}.`)
  return ok({ command: 'up', isOnce: given.has('once'), portOffset })
}
