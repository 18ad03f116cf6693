// From the figures of all rounds to what people read: ratios first, then a table for each experiment, then the ledger.
import { median } from '../statistics.js'
import { markdownTable } from '../table.js'
import { titleOf, type Measured, type Outcome } from './experiments.js'
import { ledgerLine, total } from './ledger.js'
import { FEW_SESSIONS, type Kind } from './plan.js'

type Column = readonly [title: string, figure: string, digits: number]

const columns: Readonly<Record<Kind, readonly Column[]>> = {
  saturation: [['delivered/s', 'deliveredPerSecond', 0], ['CPU µs/datagram', 'cpuMicros', 2], ['CPU %', 'busyPercent', 0]],
  shared: [['delivered/s', 'deliveredPerSecond', 0], ['CPU µs/datagram', 'cpuMicros', 3], ['CPU %', 'busyPercent', 0]],
  sessions: [['delivered/s', 'deliveredPerSecond', 0], ['CPU µs/datagram', 'cpuMicros', 2], ['CPU %', 'busyPercent', 0]],
  loss: [['loss-free/s', 'lossFreePerSecond', 0]],
  latency: [['round trips/s', 'perSecond', 0], ['p50 µs', 'p50Us', 0], ['p99 µs', 'p99Us', 0], ['p99.9 µs', 'p999Us', 0], ['CPU µs/round trip', 'cpuMicros', 2], ['lost %', 'lostPercent', 3]],
  tokens: [['pushes/s', 'perSecond', 0], ['p50 µs', 'p50Us', 0], ['p99 µs', 'p99Us', 0], ['refused', 'refused', 0]],
  memory: [['empty MB', 'emptyMegabytes', 0], ['full MB', 'fullMegabytes', 0], ['added MB', 'addedMegabytes', 0], ['bytes/session', 'bytesPerSession', 0]]
}

/** Figures that are compared, and what they are called. Of the direct path there is no CPU time. */
const compared: Readonly<Record<Kind, ReadonlyArray<readonly [name: string, figure: string]>>> = {
  saturation: [['CPU per datagram', 'cpuMicros']],
  shared: [['CPU per datagram', 'cpuMicros']],
  sessions: [['CPU per datagram', 'cpuMicros']],
  loss: [['loss-free rate', 'lossFreePerSecond']],
  latency: [['CPU per round trip', 'cpuMicros'], ['p50', 'p50Us'], ['p99', 'p99Us']],
  tokens: [],
  memory: []
}

// Below it, in percent of a core, the forwarder was not what limited the rate.
const SATURATED = 90

/** All of it, as Markdown. */
export function reportOf (outcomes: readonly Outcome[]): string {
  return [ratiosOf(outcomes), ...outcomes.map(sectionOf), ledgersOf(outcomes)].filter(part => part !== '').join('\n\n')
}

/** How one compares with another: the median of the rounds' ratios, as both were measured one after the other. */
export function ratio (one: Measured, other: Measured, figure: string): number {
  return median(one.rounds.map((figures, round) => figures[figure]! / other.rounds[round]![figure]!))
}

export function medianOf ({ rounds }: Measured, figure: string): number {
  return median(rounds.map(figures => figures[figure] ?? NaN))
}

function ratiosOf (outcomes: readonly Outcome[]): string {
  return outcomes.flatMap(outcome => pairsOf(outcome).flatMap(([one, other]) => {
    const { kind } = outcome.experiment
    const terms = compared[kind].map(([name, figure]) => `${name} × ${ratio(one, other, figure).toFixed(kind === 'shared' ? 3 : 2)}`)
    return terms.length === 0 ? [] : [`${one.label} ÷ ${other.label} (${titleOf(outcome.experiment)}): ${terms.join(', ')}`]
  })).join('\n')
}

function pairsOf ({ experiment, measured }: Outcome): ReadonlyArray<readonly [Measured, Measured]> {
  const pair = (one: Measured | undefined, other: Measured | undefined): ReadonlyArray<readonly [Measured, Measured]> => one === undefined || other === undefined ? [] : [[one, other]]
  if (experiment.kind === 'sessions') {
    return experiment.forwarders.flatMap(name => {
      const ofEngine = measured.filter(({ forwarder }) => forwarder === name)
      return pair(ofEngine.find(({ clients }) => clients !== FEW_SESSIONS), ofEngine.find(({ clients }) => clients === FEW_SESSIONS))
    })
  }
  const named = (name: string): Measured | undefined => measured.find(({ forwarder }) => forwarder === name)
  if (experiment.kind === 'shared') return [...pair(named('dgram-shared'), named('dgram')), ...pair(named('batch-shared'), named('batch'))]
  return [...pair(named('batch'), named('dgram')), ...pair(named('batch-any'), named('batch')), ...pair(named('batch-2'), named('batch')), ...pair(named('batch'), named('nginx')), ...pair(named('dgram'), named('nginx'))]
}

function sectionOf ({ experiment, measured, absent }: Outcome): string {
  const titles = [experiment.kind === 'sessions' ? 'forwarder, sessions' : 'forwarder', ...columns[experiment.kind].map(([title]) => title)]
  const rows = measured.map(one => [one.label, ...columns[experiment.kind].map(([, figure, digits]) => cellOf(medianOf(one, figure), digits))])
  const notes = [
    ...Object.entries(absent).map(([name, why]) => `- ${name} was not measured: ${why.trim()}`),
    ...limitsOf(experiment.kind, measured)
  ]
  return [`### ${titleOf(experiment)}`, '', markdownTable(titles, rows), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')
}

function limitsOf (kind: Kind, measured: readonly Measured[]): readonly string[] {
  const those = (isSo: (one: Measured) => boolean): string => measured.filter(one => one.forwarder !== 'direct' && isSo(one)).map(({ label }) => label).join('; ')
  const unsaturated = kind === 'saturation' || kind === 'shared' || kind === 'sessions' ? those(one => medianOf(one, 'busyPercent') < SATURATED) : ''
  const limited = kind === 'loss' ? those(one => medianOf(one, 'limitedByGenerator') > 0) : ''
  return [
    ...(unsaturated === '' ? [] : [`- Used less than ${SATURATED} % of a core: ${unsaturated}. Something else was the limit: the load generator, the target, or what else runs on this machine.`]),
    ...(limited === '' ? [] : [`- The load generator could not send faster: ${limited}`])
  ]
}

// What there is no figure for.
function cellOf (value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

function ledgersOf (outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ experiment, measured }) => measured.filter(({ ledgers }) => ledgers.length > 0).map(({ label, ledgers }) => {
    const off = ledgers.filter(({ missing }) => missing !== 0)
    const fault = off.length === 0 ? '' : ` (${off.length} of ${ledgers.length} measurements do not balance)`
    return `- ${titleOf(experiment)}: ${label}: ${ledgerLine(total(ledgers))}${fault}`
  }))
  return lines.length === 0 ? '' : ['### Where every datagram went', '', ...lines].join('\n')
}
