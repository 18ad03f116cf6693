// Whether an expression is about metrics that exist, by labels that they have, and makes of each what its type allows.
import { metrics, type MetricRow } from '#telemetry/metrics-table.js'
import { readPromql, type Selector } from './promql.js'

const table: Readonly<Record<string, MetricRow>> = metrics

/** What Prometheus and the ServiceMonitor add to every series. */
const scrapeLabels = ['namespace', 'pod', 'instance', 'job', 'container', 'service', 'endpoint']

const growthOf: ReadonlySet<string> = new Set(['rate', 'increase', 'irate'])
const changeOf: ReadonlySet<string> = new Set(['changes', 'max_over_time', 'min_over_time', 'avg_over_time', 'deriv'])

/** `isValue` says whether a label of a metric can have a value. Nothing is wrong if the answer is empty. */
export function checkPromql (expression: string, isValue: (metric: string, label: string, value: string) => boolean): string[] {
  const { selectors, groupings } = readPromql(expression)
  return [
    ...selectors.flatMap(selector => faultsOf(selector, isValue)),
    ...groupings.flatMap(({ labels, selectors }) => selectors.flatMap(({ name }) =>
      labels.filter(label => !labelsOf(name).includes(label)).map(label => `${name} has no label ${label} to group by`)))
  ]
}

function faultsOf ({ name, matchers, isRange, within }: Selector, isValue: (metric: string, label: string, value: string) => boolean): string[] {
  const { base, row } = rowOf(name)
  if (row === undefined) return [`there is no metric ${name}`]
  const faults = matchers.flatMap(({ label, value }) => {
    if (!labelsOf(name).includes(label)) return [`${name} has no label ${label}`]
    return scrapeLabels.includes(label) || label === 'le' ? [] : valuesIn(value).filter(one => !isValue(base, label, one)).map(one => `${name}{${label}} is never ${one}`)
  })
  const grows = row.type !== 'gauge'
  if (isRange !== (within !== undefined && (growthOf.has(within) || changeOf.has(within)))) faults.push(`${name} has a range where none belongs, or none where one does`)
  else if (grows && !(within !== undefined && growthOf.has(within))) faults.push(`${name} only grows: it takes rate or increase`)
  else if (!grows && within !== undefined && growthOf.has(within)) faults.push(`${name} is a gauge: ${within} is for counters`)
  return faults
}

// Alternatives of a regular expression; a variable of the dashboard and anything with a wildcard has none to check.
function valuesIn (value: string): string[] {
  return /[$.*+]/.test(value) && !/^\d\.\d+$/.test(value) ? [] : value.split('|')
}

function rowOf (name: string): { readonly base: string, readonly row: MetricRow | undefined } {
  const base = name.replace(/_(?:bucket|sum|count)$/, '')
  if (table[base]?.type === 'histogram') return { base, row: base === name ? undefined : table[base] }
  return { base: name, row: table[name] }
}

function labelsOf (name: string): readonly string[] {
  return [...rowOf(name).row?.labels ?? [], ...scrapeLabels, ...name.endsWith('_bucket') ? ['le'] : []]
}
