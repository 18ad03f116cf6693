// The options of `npm run bench`.
import type { Result } from '#core/result.js'
import { helpText, numberFrom, readCommandLine, type Values } from '#testkit/command-line.js'
import { forwarderNames, type ForwarderName } from './forwarders/forwarder.js'
import { kinds, planOf, type Experiment, type Kind } from './plan.js'

export interface BenchOptions {
  readonly experiments: readonly Experiment[]
  readonly rounds: number
  readonly seconds: number
  /** Round trips a second for the latency. */
  readonly roundTrips: number
  /** Token pushes a second. */
  readonly pushes: number
  readonly json: string | undefined
  readonly svg: string | undefined
}

const table = {
  full: { help: 'every number of clients with every length; the better part of an hour' },
  only: { value: 'LIST', fallback: kinds.join(','), help: 'experiments to run' },
  forwarders: { value: 'LIST', fallback: forwarderNames.join(','), help: 'what to compare' },
  clients: { value: 'LIST', help: 'instead of those of the plan' },
  bytes: { value: 'LIST', help: 'instead of those of the plan' },
  rounds: { value: 'NUMBER', fallback: '5', help: 'measurements of each, in turn; the tables have the medians' },
  seconds: { value: 'NUMBER', fallback: '0.6', help: 'length of a measurement' },
  'round-trips': { value: 'NUMBER', fallback: '20000', help: 'a second, for the latency' },
  pushes: { value: 'NUMBER', fallback: '5000', help: 'of tokens, a second' },
  json: { value: 'FILE', help: 'write all figures of all rounds there' },
  svg: { value: 'FILE', help: 'draw a chart there' }
} as const

export const help = helpText([
  'npm run bench -- [OPTIONS]',
  '',
  'Measures what forwarding a datagram costs: both engines of the proxy as it is built, the direct path, and nginx and',
  'socat where they are installed, in turn. Tables are on stdout, everything else on stderr.'
], table)

/** Reads the words of the command line; undefined if they ask for help, and the error is one sentence. */
export function readOptions (args: readonly string[]): Result<BenchOptions | undefined, string> {
  return readCommandLine(args, table, optionsFrom)
}

function optionsFrom (values: Values<typeof table>): BenchOptions {
  const number = (name: keyof typeof table, least: number, isFraction = false): number => numberFrom(name, String(values[name]), least, isFraction)
  return {
    experiments: experimentsFrom(values),
    rounds: number('rounds', 1),
    seconds: number('seconds', 0.05, true),
    roundTrips: number('round-trips', 1),
    pushes: number('pushes', 1),
    json: values.json as string | undefined,
    svg: values.svg as string | undefined
  }
}

function experimentsFrom (values: Values<typeof table>): readonly Experiment[] {
  const only = namesFrom<Kind>('only', values.only, kinds)
  const forwarders = namesFrom<ForwarderName>('forwarders', values.forwarders, forwarderNames)
  const clients = numbersFrom('clients', values.clients, 1)
  const bytes = numbersFrom('bytes', values.bytes, 16)
  const planned = planOf(values.full === true).filter(({ kind }) => only.includes(kind))
  const asked = planned.flatMap(experiment => (clients ?? [experiment.clients]).flatMap(clients => (bytes ?? [experiment.bytes]).map((bytes): Experiment => ({
    ...experiment, clients, bytes, forwarders: experiment.forwarders.filter(name => forwarders.includes(name))
  }))))
  // With clients or bytes given, experiments that differed only in these are the same.
  return [...new Map(asked.map(experiment => [`${experiment.kind} ${experiment.clients} ${experiment.bytes}`, experiment])).values()]
}

function numbersFrom (name: string, text: unknown, least: number): readonly number[] | undefined {
  return typeof text === 'string' ? text.split(',').map(number => numberFrom(name, number, least)) : undefined
}

function namesFrom<Name extends string> (option: string, text: unknown, names: readonly Name[]): readonly Name[] {
  return String(text).split(',').map(word => {
    const name = names.find(name => name === word)
    if (name === undefined) throw new Error(`--${option} knows ${names.join(', ')}, not "${word}"`)
    return name
  })
}
