// From the figures of all rounds to the table, and to what may be said of it.
import type { BenchOptions } from './options.js'
import type { Figures } from './side.js'
import { median } from '../statistics.js'
import { markdownTable } from '../table.js'

export interface Measured {
  readonly objects: number
  readonly connections: number
  readonly rounds: readonly Figures[]
}

interface Row extends Figures {
  readonly objects: number
  readonly connections: number
}

const columns: ReadonlyArray<readonly [title: string, digits: number, value: (row: Row) => number]> = [
  ['objects', 0, ({ objects }) => objects],
  ['connections', 0, ({ connections }) => connections],
  ['p50 ms', 2, ({ p50Ms }) => p50Ms],
  ['p99 ms', 2, ({ p99Ms }) => p99Ms],
  ['queries/s', 0, ({ queriesPerSecond }) => queriesPerSecond],
  ['loop delay p99 ms', 1, ({ loopDelayP99Ms }) => loopDelayP99Ms],
  ['RSS MB', 0, ({ residentMegabytes }) => residentMegabytes],
  ['CPU %', 0, ({ cpuPercent }) => cpuPercent],
  ['events/s', 0, ({ eventsPerSecond }) => eventsPerSecond],
  ['gone', 0, ({ gone }) => gone]
]

/** The medians, as a table that Markdown reads too. */
export function tableOf (measured: readonly Measured[]): string {
  return markdownTable(columns.map(([title]) => title), measured.map(rowOf).map(row => columns.map(([, digits, value]) => value(row).toFixed(digits))))
}

/** How the large inventory compares with the small one, a line for each number of connections. */
export function ratiosOf (measured: readonly Measured[], { objects, baseline }: Pick<BenchOptions, 'objects' | 'baseline'>): readonly string[] {
  const rows = measured.map(rowOf)
  return rows.filter(row => row.objects === objects).flatMap(large => {
    const small = rows.find(row => row.objects === baseline && row.connections === large.connections)
    if (small === undefined || small === large) return []
    const times = (value: (row: Row) => number): string => (value(large) / value(small)).toFixed(2)
    return `${objects} objects to ${baseline}, connections: ${large.connections}: p50 × ${times(row => row.p50Ms)}, p99 × ${times(row => row.p99Ms)}, queries/s × ${times(row => row.queriesPerSecond)}`
  })
}

function rowOf ({ objects, connections, rounds }: Measured): Row {
  const medianOf = (value: (figures: Figures) => number): number => median(rounds.map(value))
  return {
    objects,
    connections,
    p50Ms: medianOf(({ p50Ms }) => p50Ms),
    p99Ms: medianOf(({ p99Ms }) => p99Ms),
    queriesPerSecond: medianOf(({ queriesPerSecond }) => queriesPerSecond),
    loopDelayP99Ms: medianOf(({ loopDelayP99Ms }) => loopDelayP99Ms),
    // What it takes at its most counts, not in the middle.
    residentMegabytes: Math.max(...rounds.map(({ residentMegabytes }) => residentMegabytes)),
    cpuPercent: medianOf(({ cpuPercent }) => cpuPercent),
    eventsPerSecond: medianOf(({ eventsPerSecond }) => eventsPerSecond),
    gone: rounds.reduce((sum, { gone }) => sum + gone, 0)
  }
}
