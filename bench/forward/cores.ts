// Which processor each process gets, so that the forwarder has one for itself and rounds can be compared.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Cores {
  /** Commands that become another one, on the right processor. Empty where that cannot be. */
  readonly generator: readonly string[]
  readonly sink: readonly string[]
  readonly forwarder: readonly string[]
  /** What was done, for people. */
  readonly said: string
}

/** What this machine allows. */
export function chooseCores (): Cores {
  const allowed = allowedCores()
  if (spawnSync('taskset', ['--version']).error !== undefined) return unpinned('taskset is not installed')
  if (allowed.length < 2) return unpinned('there is one core only')
  const [first, second, third] = allowed as [number, number, number?]
  if (third === undefined) {
    // The generator may not keep the sink from taking what comes.
    return { generator: ['nice', '-n', '5', ...on(first)], sink: on(first), forwarder: on(second), said: `forwarder on core ${second}; load generator (nice 5) and sink share core ${first}` }
  }
  return { generator: on(first), sink: on(second), forwarder: on(third), said: `load generator on core ${first}, sink on core ${second}, forwarder on core ${third}` }
}

function unpinned (why: string): Cores {
  return { generator: [], sink: [], forwarder: [], said: `nothing is pinned: ${why}` }
}

function on (core: number): readonly string[] {
  return ['taskset', '-c', String(core)]
}

function allowedCores (): readonly number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return list.split(',').flatMap(range => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
