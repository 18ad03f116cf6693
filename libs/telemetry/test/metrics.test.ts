import t from 'tap'
import type { Sample } from '#rpc/contract.js'
import { createMetrics, type Metrics } from '../src/metrics.js'
import { metrics as table, type MetricName, type MetricRow } from '../src/metrics-table.js'
import { processSamples } from '../src/process-samples.js'

const rows = Object.entries(table) as Array<[MetricName, MetricRow]>

const labelsOf = (row: MetricRow): Record<string, string> =>
  Object.fromEntries(row.labels.map(label => [label, label === 'process' ? 'proxy' : 'x']))

const lineOf = (name: string, labels: Record<string, string>, value: number): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

const valuesIn = (text: string): string[] => text.split('\n').filter(line => line !== '' && !line.startsWith('#'))

/** Moves a metric of control's own the way its users do. */
function move (metrics: Metrics, name: MetricName, row: MetricRow): void {
  const made = { ...metrics.counters, ...metrics.gauges, ...metrics.histograms } as Record<string, { inc?: (labels: object, value: number) => void, observe?: (labels: object, value: number) => void }>
  if (row.type === 'histogram') made[name]!.observe!(labelsOf(row), 0.7)
  else made[name]!.inc!(labelsOf(row), 3)
}

void t.test('every metric of control moves', async t => {
  for (const [name, row] of rows.filter(([, { from }]) => from === 'control')) {
    const metrics = createMetrics('control')
    move(metrics, name, row)
    const text = await metrics.expose()
    t.ok(text.includes(`# HELP ${name} ${row.help}\n# TYPE ${name} ${row.type}\n`), `${name} has its help`)
    const lines = row.type === 'histogram' ? [lineOf(`${name}_sum`, labelsOf(row), 0.7), lineOf(`${name}_count`, labelsOf(row), 1)] : [lineOf(name, labelsOf(row), 3)]
    for (const line of lines) t.ok(valuesIn(text).includes(line), line)
  }
})

void t.test('every metric of the proxy is what its last samples say', async t => {
  const metrics = createMetrics('control')
  const sampled = rows.filter(([, { from }]) => from !== 'control')
  const samplesOf = (value: number): Sample[] => sampled.map(([name, row]) => ({ name, labels: labelsOf(row), value }))
  for (const value of [5, 5, 7, 2]) {
    metrics.applySamples(samplesOf(value))
    const lines = valuesIn(await metrics.expose())
    for (const [name, row] of sampled) t.ok(lines.includes(lineOf(name, labelsOf(row), value)), lineOf(name, labelsOf(row), value))
  }
  metrics.applySamples(samplesOf(2).slice(1))
  t.notOk(valuesIn(await metrics.expose()).some(line => line.startsWith(sampled[0]![0])), 'a sample that is gone leaves nothing behind')
})

void t.test('a proxy that does not answer has no metrics, and takes nothing of control\'s with it', async t => {
  const metrics = createMetrics('control')
  const own = valuesIn(await metrics.expose()).map(line => line.split(' ')[0])
  t.notOk(own.some(name => name?.startsWith('udp_director_sessions')), 'none before the first word')
  metrics.counters.udp_director_queries_total.inc(4)
  metrics.applySamples(rows.filter(([, { from }]) => from !== 'control').map(([name, row]) => ({ name, labels: labelsOf(row), value: 1 })))
  metrics.clearSamples()
  const lines = valuesIn(await metrics.expose())
  t.strictSame(lines.map(line => line.split(' ')[0]), own)
  t.ok(lines.includes('udp_director_queries_total 4'))
})

void t.test('samples that do not fit the table are ignored', async t => {
  const metrics = createMetrics('control')
  const before = valuesIn(await metrics.expose()).map(line => line.split(' ')[0])
  metrics.applySamples([
    { name: 'udp_director_unheard_of', labels: {}, value: 1 },
    { name: 'constructor', labels: {}, value: 1 },
    { name: 'udp_director_queries_total', labels: {}, value: 99 },
    { name: 'udp_director_sessions_active', labels: { client: 'x' }, value: 1 },
    { name: 'udp_director_packets_dropped_total', labels: { reason: 'x' }, value: 1 },
    { name: 'udp_director_packets_dropped_total', labels: { direction: 'x', reason: 'x', client: 'x' }, value: 1 },
    { name: 'udp_director_tokens_expired_total', labels: {}, value: -1 },
    { name: 'udp_director_sessions_active', labels: {}, value: NaN }
  ])
  const after = valuesIn(await metrics.expose())
  t.strictSame(after.map(line => line.split(' ')[0]), before)
  t.ok(after.includes('udp_director_queries_total 0'), 'control\'s own are not for the proxy to set')
})

void t.test('each process reports itself', async t => {
  const text = await createMetrics('control').expose()
  for (const name of ['resident_memory_bytes', 'cpu_seconds_total', 'start_time_seconds']) {
    t.match(text, new RegExp(`^udp_director_process_${name}\\{process="control"\\} \\d`, 'm'))
  }
  const [memory, cpu, start] = processSamples('proxy').map(({ value }) => value)
  t.ok(memory! > 10e6 && memory! < 4e9, 'bytes')
  t.ok(cpu! > 0.01 && cpu! < 600, 'seconds')
  // eslint-disable-next-line no-restricted-syntax -- two clocks asked in one expression, not a time that passes
  t.ok(Math.abs(start! - (Date.now() / 1000 - process.uptime())) < 2, 'Unix seconds')
})

void t.test('two registries share nothing', async t => {
  const one = createMetrics('control')
  one.gauges.udp_director_proxy_up.set(1)
  t.ok(valuesIn(await createMetrics('control').expose()).includes('udp_director_proxy_up 0'))
})
