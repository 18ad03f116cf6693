// The alert rules and the dashboard in k8s/components/prometheus: they ask for metrics and labels that exist, and every
// alert is explained in docs/operations.md.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { errors } from '../../apps/control/src/http/problems/errors.js'
import { dropReasons } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { dashboard } from '../gen/dashboard.js'
import { checkPromql } from './check-promql.js'
import { readPromql } from './promql.js'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string, readonly description: string, readonly runbook: string }
}

const read = (path: string): string => readFileSync(path, 'utf8')
const { spec } = parse(read('k8s/components/prometheus/prometheus-rule.yaml')) as { readonly spec: { readonly groups: ReadonlyArray<{ readonly name: string, readonly rules: readonly Rule[] }> } }
const rules = spec.groups.flatMap(({ rules }) => rules)

// docs/metrics.md is generated from the code: of each label the row with its values.
const labelRows = new Map([...read('docs/metrics.md').matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, label = '', values = '']) => [label, values]))

function isValue (metric: string, label: string, value: string): boolean {
  if (metric === 'udp_director_packets_dropped_total' && label === 'reason') return Object.values(dropReasons).some(({ name }) => name === value)
  if (label === 'code') return value in errors
  return new RegExp(`(?:^|\\W)${value.replaceAll('.', '\\.')}(?:\\W|$)`).test(labelRows.get(label) ?? '')
}

void t.test('the rules ask for what there is', async t => {
  t.ok(rules.length > 15)
  for (const { alert, expr } of rules) t.strictSame(checkPromql(expr, isValue), [], alert)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length, 'each has a name of its own')
})

void t.test('the dashboard asks for what there is', async t => {
  const { panels, templating } = dashboard() as { panels: ReadonlyArray<{ id: number, title: string, targets?: ReadonlyArray<{ expr: string, legendFormat: string }> }>, templating: { list: ReadonlyArray<{ name: string, query: string }> } }
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const { title, targets = [] } of panels) {
    for (const { expr, legendFormat } of targets) {
      t.strictSame(checkPromql(expr, isValue), [], title)
      const { selectors, groupings } = readPromql(expr)
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        // What an aggregation leaves over, or any label of the series.
        const kept = groupings[0]?.labels
        t.ok(kept === undefined ? checkPromql(`sum by (${label}) (rate(${selectors[0]!.name}[1m]))`, isValue).every(fault => !fault.includes('no label')) : kept.includes(label), `${title}: ${label} in the legend`)
      }
    }
  }
  for (const { name, query } of templating.list.slice(1)) {
    const [, expression = '', label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? []
    t.strictSame(checkPromql(expression, isValue), [], name)
    t.equal(label, name)
  }
})

void t.test('what does not exist is found', async t => {
  const faults: ReadonlyArray<readonly [expression: string, fault: string]> = [
    ['udp_director_proxy_down == 0', 'there is no metric udp_director_proxy_down'],
    ['rate(udp_director_query_duration_seconds[5m])', 'there is no metric udp_director_query_duration_seconds'],
    ['udp_director_proxy_up{side="left"} == 0', 'udp_director_proxy_up has no label side'],
    ['sum by (namespace, colour) (rate(udp_director_queries_total[5m]))', 'udp_director_queries_total has no label colour to group by'],
    ['sum(rate(udp_director_queries_total[5m])) by (le)', 'udp_director_queries_total has no label le to group by'],
    ['udp_director_proxy_up == on (process) udp_director_table_entries', 'udp_director_proxy_up has no label process to group by'],
    ['rate(udp_director_packets_dropped_total{reason=~"no_session|no_reason"}[5m])', 'udp_director_packets_dropped_total{reason} is never no_reason'],
    ['rate(udp_director_queries_failed_total{code="TEAPOT"}[5m])', 'udp_director_queries_failed_total{code} is never TEAPOT'],
    ['udp_director_event_loop_delay_seconds{quantile="0.9"}', 'udp_director_event_loop_delay_seconds{quantile} is never 0.9'],
    ['rate(udp_director_sessions_active[5m])', 'udp_director_sessions_active is a gauge: rate is for counters'],
    ['udp_director_queries_total > 0', 'udp_director_queries_total only grows: it takes rate or increase'],
    ['rate(udp_director_queries_total)', 'udp_director_queries_total has a range where none belongs, or none where one does']
  ]
  for (const [expression, fault] of faults) t.strictSame(checkPromql(expression, isValue), [fault], expression)
  for (const broken of ['sum by (pod (udp_director_proxy_up)', 'rate(udp_director_queries_total[5m]', 'udp_director_proxy_up{a}', 'udp_director_proxy_up)', 'udp_director_proxy_up ? 1', 'rated(udp_director_queries_total[5m])', '{pod="a"}', 'sum(udp_director_proxy_up) by pod']) {
    t.throws(() => readPromql(broken), broken)
  }
})

void t.test('every alert is explained, and nothing else is', async t => {
  const page = read('docs/operations.md')
  const sections = new Map(page.slice(page.indexOf('\n## Alerts')).split('\n### ').slice(1).map(section => [section.split('\n')[0], section.split('\n').slice(2).join('\n')]))
  t.strictSame([...sections.keys()].sort(), rules.map(({ alert }) => alert).sort())
  for (const { alert, for: duration, labels: { severity }, annotations: { summary, description, runbook } } of rules) {
    t.ok(['critical', 'warning'].includes(severity), alert)
    t.ok(summary.endsWith('.') && description.endsWith('.'), `${alert} speaks in sentences`)
    t.equal(runbook, `docs/operations.md#${alert.toLowerCase()}`, alert)
    const said = /^\*([\s\S]*?)\*/.exec(sections.get(alert) ?? '')?.[1] ?? ''
    t.ok(said.startsWith(severity), `${alert}: the page says ${severity}`)
    if (duration !== undefined) t.ok(said.includes(duration.replace('m', ' min').replace(/s$/, ' s')), `${alert}: the page says ${duration}`)
  }
})
