// Metrics: as the proxy tells them over RPC, and as `/metrics` shows them.
import type { Sample } from '#rpc/contract.js'

export { metricValue as sumInText } from '../../apps/cli/src/demo/metrics-text.js'

/** The sum of the samples of a metric whose labels include these; 0 if there are none. */
export function sumOf (samples: readonly Sample[], metric: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter(sample => sample.name === metric && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
