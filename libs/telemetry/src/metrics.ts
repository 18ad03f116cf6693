// The registry behind `/metrics`, made from the metric table: control writes its own metrics by name, and the proxy's are
// replaced whole by the samples it last sent. One registry per app; prom-client's global one is never touched.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Sample } from '#rpc/contract.js'
import { metrics, type MetricName, type MetricRow } from './metrics-table.js'
import { processSamples } from './process-samples.js'

type Table = typeof metrics

/** Metrics of one type that control measures itself. */
type OwnNames<Type extends MetricRow['type']> = {
  [Name in MetricName]: Table[Name] extends { type: Type, from: 'control' } ? Name : never
}[MetricName]

type LabelsOf<Name extends MetricName> = Table[Name]['labels'][number]

type AnyMetric = Counter | Gauge | Histogram

export interface Metrics {
  readonly counters: { readonly [Name in OwnNames<'counter'>]: Counter<LabelsOf<Name>> }
  readonly gauges: { readonly [Name in OwnNames<'gauge'>]: Gauge<LabelsOf<Name>> }
  readonly histograms: { readonly [Name in OwnNames<'histogram'>]: Histogram<LabelsOf<Name>> }
  /** Replaces all that the proxy said before. Values are absolute; names and labels that the table lacks are ignored. */
  readonly applySamples: (samples: readonly Sample[]) => void
  /** Forgets what the proxy said: a proxy that does not answer has no metrics, rather than old ones. */
  readonly clearSamples: () => void
  /** Everything in the Prometheus text format: with `ownSamples`, and this process's memory and processor time, as of now. */
  readonly expose: (ownSamples?: readonly Sample[]) => Promise<string>
  readonly contentType: string
}

/** A registry with every row of the table. `from` is the process that keeps it. */
export function createMetrics (from: 'control'): Metrics {
  const registry = new Registry()
  const made = Object.fromEntries(rows().map(([name, row]) => [name, createMetric(name, row, registry)]))
  const clearSamples = (): void => {
    for (const [name, row] of rows()) if (row.from !== 'control') clear(made[name], row)
  }
  const apply = (samples: readonly Sample[]): void => {
    for (const { name, labels, value } of samples) {
      const row = rowOf(name)
      if (row !== undefined && row.from !== 'control' && fits(row, labels, value)) setAbsolute(made[name], labels, value)
    }
  }
  clearSamples()
  return {
    // The three views are one object: its keys are the table's, and the types keep each to its own.
    counters: made as unknown as Metrics['counters'],
    gauges: made as unknown as Metrics['gauges'],
    histograms: made as unknown as Metrics['histograms'],
    applySamples: samples => {
      clearSamples()
      apply(samples)
    },
    clearSamples,
    expose: (ownSamples = []) => {
      apply([...processSamples(from), ...ownSamples])
      return registry.metrics()
    },
    contentType: registry.contentType
  }
}

function rows (): ReadonlyArray<[MetricName, MetricRow]> {
  return Object.entries(metrics) as Array<[MetricName, MetricRow]>
}

function rowOf (name: string): MetricRow | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name as MetricName] : undefined
}

function createMetric (name: string, { type, help, labels, buckets = [] }: MetricRow, registry: Registry): AnyMetric {
  const options = { name, help, labelNames: labels, registers: [registry] }
  if (type === 'counter') return new Counter(options)
  return type === 'gauge' ? new Gauge(options) : new Histogram({ ...options, buckets: [...buckets] })
}

/** Leaves the metric without any value: no labels, no line. */
function clear (metric: AnyMetric | undefined, { labels }: MetricRow): void {
  metric?.reset()
  // A reset brings a metric without labels back to 0, which would be a claim about a proxy nobody heard.
  if (labels.length === 0) metric?.remove()
}

function fits ({ type, labels }: MetricRow, given: Readonly<Record<string, string>>, value: number): boolean {
  if (type === 'histogram' || !Number.isFinite(value) || (type === 'counter' && value < 0)) return false
  return Object.keys(given).length === labels.length && labels.every(label => Object.hasOwn(given, label))
}

function setAbsolute (metric: AnyMetric | undefined, labels: Record<string, string>, value: number): void {
  if (metric instanceof Gauge) metric.set(labels, value)
  if (!(metric instanceof Counter)) return
  metric.remove(labels)
  metric.inc(labels, value)
}
