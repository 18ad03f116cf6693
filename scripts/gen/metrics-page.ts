// docs/metrics.md: every metric, its labels, and the values of labels that are closed sets.
import { eventKinds } from '#rpc/contract.js'
import { metrics, type MetricName, type MetricRow } from '#telemetry/metrics-table.js'
import { authFailures } from '../../apps/control/src/http/auth/authenticator.js'
import { refusals } from '../../apps/control/src/http/guards/guard-deps.js'
import { listeners } from '../../apps/control/src/http/listener/listener.js'
import { createControlMetrics } from '../../apps/control/src/metrics.js'
import { storeCalls, storeOutcomes } from '../../apps/control/src/store/shared-store.js'
import { askKindNames, askOutcomeNames, consumedKindNames, directionNames, endCauseNames, goneActionNames } from '../../apps/proxy/src/core/ledger/counters.js'
import { dropReasons, tokenReasons } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { proxyTables } from '../../apps/proxy/src/rpc/stats.js'
import { originNames } from '../../apps/proxy/src/core/tables/session-table.js'
import { code, generatedNote, page, table } from './markdown.js'

type Label = typeof metrics[MetricName]['labels'][number]

const rows = Object.entries(metrics) as Array<[MetricName, MetricRow]>

const from = { control: 'control', proxy: 'proxy', both: 'each process' } as const

const list = (values: readonly string[]): string => values.map(code).join(', ')

/** Values that control sets from the start, so that rates begin with the first event. */
async function seededValues (): Promise<(name: MetricName, label: string) => string[]> {
  const nothing = { objects: new Map<string, number>(), inventoryAgeMs: 0, defaultTargets: 0, isProxyUp: false, drain: undefined, tables: [], store: undefined, proxySamples: undefined }
  const text = await createControlMetrics().expose(nothing)
  return (name, label) => [...text.matchAll(new RegExp(`^${name}\\{.*?${label}="(.*?)"`, 'gm'))].map(([, value = '']) => value)
}

async function labelValues (): Promise<Record<Label, string>> {
  const seeded = await seededValues()
  return {
    action: list(goneActionNames),
    cause: `tokens: ${list(seeded('udp_director_tokens_revoked_total', 'cause'))}; sessions: ${list(endCauseNames)}`,
    code: 'a code of [errors.md](errors.md)',
    data_port: 'a name of `dataPorts`; `none` for datagrams that belong to none',
    direction: list(directionNames),
    end: `${list(seeded('udp_director_inventory_watch_ends_total', 'end'))}; what they mean is in [kubernetes.md](kubernetes.md#metrics-of-the-inventory)`,
    event: list(eventKinds),
    kind: list(consumedKindNames),
    listener: list(listeners),
    of: list(askKindNames),
    op: list(storeCalls),
    origin: `${list(originNames)}: what bound the session to its target`,
    operation: 'read, write',
    outcome: `reloads, key reads: ${list(seeded('udp_director_inventory_reloads_total', 'outcome'))}; events: ${list(seeded('udp_director_inventory_events_total', 'outcome'))}; asks: ${list(askOutcomeNames)}; calls of the store: ${list(storeOutcomes)}`,
    process: list(['control', 'proxy']),
    quantile: `${list(seeded('udp_director_event_loop_delay_seconds', 'quantile'))}, which is the longest`,
    reason: `relists: ${list(seeded('udp_director_inventory_relists_total', 'reason'))}; bad events: ${list(seeded('udp_director_inventory_bad_events_total', 'reason'))}; refused requests: ${list(refusals)}; authentications: ${list(authFailures)}; dead first tokens: ${list(tokenReasons.map(reason => dropReasons[reason].name))}; dropped datagrams: see below`,
    resource_type: 'a key of `resourceQueryMapping`',
    table: `proxy: ${list(proxyTables)}`,
    via: list(seeded('udp_director_tokens_issued_total', 'via'))
  }
}

export async function metricsPage (): Promise<string> {
  const buckets = rows.filter(([, { type }]) => type === 'histogram')
  return page(
    '# Metrics',
    generatedNote,
    '`GET /metrics` on `adminPort`, in the Prometheus text format. Control asks the proxy for its metrics at every scrape; while the proxy does not answer they are absent, and `udp_director_proxy_up` is 0. Values that clients choose are never labels.',
    table(['Metric', 'Type', 'Measured by', 'Labels', 'Meaning'], rows.map(([name, row]) =>
      [code(name), row.type, from[row.from], list(row.labels), row.help])),
    '## Labels',
    table(['Label', 'Values'], Object.entries(await labelValues()).map(([label, values]) => [code(label), values])),
    '## Drop reasons',
    'Values of `reason` of `udp_director_packets_dropped_total`. Every datagram ends as exactly one of forwarded, consumed or dropped with a reason.',
    table(['Reason', 'Meaning'], Object.values(dropReasons).map(({ name, meaning }) => [code(name), meaning])),
    '## Buckets',
    table(['Histogram', 'Upper bounds'], buckets.map(([name, { buckets: bounds = [] }]) => [code(name), bounds.join(', ')]))
  )
}
