// From the figures of all rounds to the tables.
import { ledgerLine } from '../forward/ledger.js'
import { median } from '../statistics.js'
import { markdownTable } from '../table.js'
import type { FloodFigures } from './flood.js'
import type { RestartFigures, RestartKind } from './restart.js'

export interface RestartOutcome {
  readonly kind: RestartKind
  readonly sessions: number
  readonly rounds: readonly RestartFigures[]
}

export interface FloodOutcome {
  readonly hasDefault: boolean
  readonly sessions: number
  readonly figures: FloodFigures
}

/** What control's and the proxy's memory limits leave room for many times over; the manifests ask for it. */
export const MEMORY_BOUND_MEGABYTES = 256 * 1.048576

type Column<Row> = readonly [title: string, cell: (row: Row) => string]

const medianOf = ({ rounds }: RestartOutcome, value: (figures: RestartFigures) => number): string => median(rounds.map(value)).toFixed(0)
const most = ({ rounds }: RestartOutcome, value: (figures: RestartFigures) => number): string => Math.max(...rounds.map(value)).toFixed(0)
const least = ({ rounds }: RestartOutcome, value: (figures: RestartFigures) => number): string => Math.min(...rounds.map(value)).toFixed(0)

const restartColumns: ReadonlyArray<Column<RestartOutcome>> = [
  ['killed', ({ kind }) => kind],
  ['first forwarded after ms', outcome => outcome.kind === 'control' ? '–' : medianOf(outcome, ({ firstForwardedMs }) => firstForwardedMs)],
  ['at most ms', outcome => outcome.kind === 'control' ? '–' : most(outcome, ({ firstForwardedMs }) => firstForwardedMs)],
  ['longest silence ms', outcome => medianOf(outcome, ({ silenceMs }) => silenceMs)],
  ['sent', outcome => medianOf(outcome, ({ sent }) => sent)],
  ['lost', outcome => medianOf(outcome, ({ lost }) => lost)],
  ['lost at most', outcome => most(outcome, ({ lost }) => lost)],
  ['in the proxy', outcome => medianOf(outcome, ({ lostInProxy }) => lostInProxy)],
  ['by full buffers', outcome => medianOf(outcome, ({ kernelDrops }) => kernelDrops)],
  ['replies lost', outcome => medianOf(outcome, ({ repliesLost }) => repliesLost)],
  ['sessions continued', outcome => `${least(outcome, ({ sessionsContinued }) => sessionsContinued)} of ${outcome.sessions}`],
  ['same port', outcome => least(outcome, ({ portsKept }) => portsKept)],
  ['misdelivered', outcome => most(outcome, ({ misdelivered }) => misdelivered)]
]

const floodColumns: ReadonlyArray<Column<FloodOutcome>> = [
  ['default endpoint', ({ hasDefault }) => hasDefault ? 'yes' : 'no'],
  ['flood', ({ figures: { flooded } }) => String(flooded)],
  ['per second', ({ figures: { perSecond } }) => perSecond.toFixed(0)],
  ['sessions left', ({ figures: { tokenSessions }, sessions }) => `${tokenSessions} of ${sessions}`],
  ['sent by them', ({ figures: { playersSent } }) => String(playersSent)],
  ['lost of these', ({ figures: { playersLost } }) => String(playersLost)],
  ['dropped by the kernel', ({ figures: { kernelDrops } }) => String(kernelDrops)],
  ['default sessions', ({ figures: { defaultSessions } }) => String(defaultSessions)],
  ['RSS before MB', ({ figures: { residentMegabytes } }) => residentMegabytes.toFixed(0)],
  ['RSS at most MB', ({ figures: { peakMegabytes } }) => peakMegabytes.toFixed(0)]
]

/** All of it, as Markdown. */
export function reportOf (restarts: readonly RestartOutcome[], floods: readonly FloodOutcome[]): string {
  return [...restartsOf(restarts), ...floodsOf(floods), ...faultsOf(restarts, floods)].join('\n')
}

/** What must not be: one sentence each. */
export function faultsOf (restarts: readonly RestartOutcome[], floods: readonly FloodOutcome[]): readonly string[] {
  const check = (holds: boolean, fault: string): readonly string[] => holds ? [] : [`FAULT: ${fault}`]
  return [
    ...restarts.flatMap(({ kind, sessions, rounds }) => rounds.flatMap((figures, round) => [
      ...check(figures.sessionsContinued === sessions, `${kind}, round ${round + 1}: ${sessions - figures.sessionsContinued} sessions did not go on`),
      ...check(figures.portsKept === sessions, `${kind}, round ${round + 1}: ${sessions - figures.portsKept} sessions came from another port`),
      ...check(figures.misdelivered === 0, `${kind}, round ${round + 1}: ${figures.misdelivered} replies went to somebody else`),
      ...check(kind !== 'control' || figures.lost === figures.kernelDrops, `${kind}, round ${round + 1}: ${figures.lost} datagrams were lost, and the kernel dropped ${figures.kernelDrops}`)
    ])),
    ...floods.flatMap(({ hasDefault, sessions, figures }) => {
      const name = hasDefault ? 'flood with a default endpoint' : 'flood'
      return [
        ...check(figures.tokenSessions === sessions, `${name}: ${sessions - figures.tokenSessions} sessions ended`),
        ...check(figures.ledger.missing === 0, `${name}: ${figures.ledger.missing} datagrams are not accounted for`),
        ...check(figures.playersLost <= figures.kernelDrops, `${name}: ${figures.playersLost} datagrams of players were lost, and the kernel dropped ${figures.kernelDrops}`),
        ...check(figures.peakMegabytes <= MEMORY_BOUND_MEGABYTES, `${name}: ${figures.peakMegabytes.toFixed(0)} MB are more than ${MEMORY_BOUND_MEGABYTES.toFixed(0)}`)
      ]
    })
  ]
}

function restartsOf (outcomes: readonly RestartOutcome[]): readonly string[] {
  return outcomes.length === 0 ? [] : ['### Killed under traffic', '', tableOf(restartColumns, outcomes), '']
}

function floodsOf (outcomes: readonly FloodOutcome[]): readonly string[] {
  if (outcomes.length === 0) return []
  const ledgers = outcomes.map(({ hasDefault, figures: { ledger } }) => `- ${hasDefault ? 'with' : 'without'} a default endpoint: ${ledgerLine(ledger)}`)
  return ['### Flooded', '', tableOf(floodColumns, outcomes), '', `Memory may be ${MEMORY_BOUND_MEGABYTES.toFixed(0)} MB. Where every datagram went:`, '', ...ledgers, '']
}

function tableOf<Row> (columns: ReadonlyArray<Column<Row>>, rows: readonly Row[]): string {
  return markdownTable(columns.map(([title]) => title), rows.map(row => columns.map(([, cell]) => cell(row))))
}
