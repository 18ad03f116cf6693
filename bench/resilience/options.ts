// The options of `npm run bench:resilience`.
import type { Result } from '#core/result.js'
import { helpText, numberFrom, readCommandLine, type Values } from '#testkit/command-line.js'

/** What is killed, or whether the flood finds a default endpoint. */
export const kinds = ['proxy', 'control', 'both', 'flood', 'flood-default'] as const
export type Kind = typeof kinds[number]

export interface BenchOptions {
  readonly kinds: readonly Kind[]
  readonly engine: 'batch' | 'dgram'
  readonly sessions: number
  readonly perSecond: number
  readonly rounds: number
  readonly seconds: number
  readonly flood: number
  /** Undefined: as fast as can be. */
  readonly floodPerSecond: number | undefined
  readonly floodSessions: number
  readonly json: string | undefined
}

const table = {
  only: { value: 'LIST', fallback: kinds.join(','), help: 'what is killed, and the floods' },
  engine: { value: 'NAME', fallback: 'batch', help: 'batch or dgram' },
  sessions: { value: 'NUMBER', fallback: '1000', help: 'that go on while a process is killed' },
  rate: { value: 'NUMBER', fallback: '20000', help: 'datagrams a second of all of them' },
  rounds: { value: 'NUMBER', fallback: '5', help: 'kills of each, every one of a director started anew' },
  seconds: { value: 'NUMBER', fallback: '2', help: 'of traffic before a kill, and after everything is back' },
  flood: { value: 'NUMBER', fallback: '1000000', help: 'first datagrams, up to 4,000,000, each from an address of its own' },
  'flood-rate': { value: 'NUMBER', fallback: '0', help: 'a second; 0 is as fast as can be' },
  'flood-sessions': { value: 'NUMBER', fallback: '500', help: 'with tokens, that go on meanwhile, at 4 datagrams a second each' },
  json: { value: 'FILE', help: 'write all figures of all rounds there' }
} as const

export const MAX_FLOOD = 4_000_000

export const help = helpText([
  'npm run bench:resilience -- [OPTIONS]',
  '',
  'Kills the proxy, control and both under traffic, as the supervisor of npm run serve has them, and floods the data port',
  'from many addresses. Counts every datagram. Tables are on stdout, everything else on stderr. Needs Linux.'
], table)

/** Reads the words of the command line; undefined if they ask for help, and the error is one sentence. */
export function readOptions (args: readonly string[]): Result<BenchOptions | undefined, string> {
  return readCommandLine(args, table, optionsFrom)
}

function optionsFrom (values: Values<typeof table>): BenchOptions {
  const number = (name: keyof typeof table, least: number, most = Infinity): number => {
    const value = numberFrom(name, String(values[name]), least, name === 'seconds')
    if (value > most) throw new Error(`--${name} takes numbers up to ${most}`)
    return value
  }
  return {
    kinds: String(values.only).split(',').map(word => oneOf('only', kinds, word)),
    engine: oneOf('engine', ['batch', 'dgram'], String(values.engine)),
    // As many addresses as one socket has here.
    sessions: number('sessions', 1, 4096),
    perSecond: number('rate', 1),
    rounds: number('rounds', 1),
    seconds: number('seconds', 0.1),
    flood: number('flood', 1, MAX_FLOOD),
    floodPerSecond: number('flood-rate', 0) || undefined,
    floodSessions: number('flood-sessions', 1, 4096),
    json: values.json as string | undefined
  }
}

function oneOf<Name extends string> (option: string, names: readonly Name[], word: string): Name {
  const name = names.find(name => name === word)
  if (name === undefined) throw new Error(`--${option} knows ${names.join(', ')}, not "${word}"`)
  return name
}
