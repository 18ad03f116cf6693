import type { Sample } from '#rpc/contract.js'
import type { MetricName } from './metrics-table.js'

/**
 * What the metric table says of a process, measured now: resident memory, processor time, start. Memory is left out
 * while the system cannot tell it: on Linux that takes a file descriptor, and there may be none left.
 */
export function processSamples (name: 'control' | 'proxy'): Sample[] {
  const { user, system } = process.cpuUsage()
  const residentBytes = measureResidentBytes()
  const sample = (metric: MetricName, value: number): Sample => ({ name: metric, labels: { process: name }, value })
  return [
    ...residentBytes === undefined ? [] : [sample('udp_director_process_resident_memory_bytes', residentBytes)],
    sample('udp_director_process_cpu_seconds_total', (user + system) / 1e6),
    sample('udp_director_process_start_time_seconds', performance.timeOrigin / 1000)
  ]
}

function measureResidentBytes (): number | undefined {
  try {
    return process.memoryUsage.rss()
  } catch {
    // EMFILE or ENFILE, from opening /proc/self/stat.
    return undefined
  }
}
