import type { Sample } from '#rpc/contract.js'
import type { MetricName } from './metrics-table.js'

/** What the metric table says of a process, measured now: resident memory, processor time, start. */
export function processSamples (name: 'control' | 'proxy'): Sample[] {
  const { user, system } = process.cpuUsage()
  const sample = (metric: MetricName, value: number): Sample => ({ name: metric, labels: { process: name }, value })
  return [
    sample('udp_director_process_resident_memory_bytes', process.memoryUsage.rss()),
    sample('udp_director_process_cpu_seconds_total', (user + system) / 1e6),
    sample('udp_director_process_start_time_seconds', performance.timeOrigin / 1000)
  ]
}
