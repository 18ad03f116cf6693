// What the Grafana dashboard shows, row by row. Names of metrics are checked by the compiler, labels by a test.
import type { MetricName } from '#telemetry/metrics-table.js'

/** Grafana's names of units. */
export type Unit = 'pps' | 'Bps' | 'reqps' | 'ops' | 'short' | 's' | 'bytes' | 'percentunit'

export interface Panel {
  readonly title: string
  /** Shown behind the (i) of the panel. */
  readonly says: string
  readonly unit: Unit
  /** Legend by expression. */
  readonly series: Readonly<Record<string, string>>
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** The series of a metric that the dashboard's variables choose. */
function of (name: MetricName | `${MetricName}_bucket`, matchers = ''): string {
  return `${name}{namespace=~"$namespace", pod=~"$pod"${matchers === '' ? '' : `, ${matchers}`}}`
}

const rate = (name: Parameters<typeof of>[0], matchers = ''): string => `rate(${of(name, matchers)}[$__rate_interval])`
const sumBy = (labels: string, expression: string): string => `sum by (${labels}) (${expression})`

const fill = (process: 'control' | 'proxy'): string =>
  `${of('udp_director_table_entries', `process="${process}"`)} / ${of('udp_director_table_capacity', `process="${process}"`)}`

const quantile = (which: number): string =>
  `histogram_quantile(${which}, ${sumBy('le', rate('udp_director_query_duration_seconds_bucket'))})`

export const rows: readonly Row[] = [
  {
    title: 'Traffic',
    panels: [
      {
        title: 'Datagrams received',
        says: 'What the proxy read from its sockets. What the kernel dropped before is under Drops.',
        unit: 'pps',
        series: { [sumBy('direction, data_port', rate('udp_director_packets_received_total'))]: '{{direction}} {{data_port}}' }
      },
      {
        title: 'Datagrams forwarded',
        says: 'received = forwarded + consumed + dropped + in flight.',
        unit: 'pps',
        series: {
          [sumBy('direction, data_port', rate('udp_director_packets_proxied_total'))]: '{{direction}} {{data_port}}',
          [sumBy('kind', rate('udp_director_packets_consumed_total'))]: 'consumed: {{kind}}'
        }
      },
      {
        title: 'Bytes forwarded',
        says: 'Of the datagrams, headers not counted.',
        unit: 'Bps',
        series: { [sumBy('direction, data_port', rate('udp_director_bytes_proxied_total'))]: '{{direction}} {{data_port}}' }
      }
    ]
  },
  {
    title: 'Sessions',
    panels: [
      { title: 'Sessions', says: 'In the table now.', unit: 'short', series: { [of('udp_director_sessions_active')]: '{{pod}}' } },
      {
        title: 'Sessions that come and move',
        says: 'By what bound them to their target: a token, the default endpoint, an operator.',
        unit: 'ops',
        series: {
          [sumBy('origin', rate('udp_director_sessions_created_total'))]: 'created: {{origin}}',
          [sumBy('origin', rate('udp_director_sessions_reset_total'))]: 'reset: {{origin}}'
        }
      },
      {
        title: 'Sessions that end',
        says: 'evicted: a token took the place of a default-endpoint session because the table was full.',
        unit: 'ops',
        series: {
          [sumBy('cause', rate('udp_director_sessions_ended_total'))]: '{{cause}}',
          [sumBy('action', rate('udp_director_targets_gone_total'))]: 'targets gone: {{action}}'
        }
      },
      {
        title: 'Targets and sockets',
        says: 'Sockets towards targets are as many as the largest number of clients on one target.',
        unit: 'short',
        series: { [of('udp_director_targets_active')]: 'targets {{pod}}', [of('udp_director_upstream_sockets')]: 'sockets {{pod}}' }
      }
    ]
  },
  {
    title: 'Tokens and queries',
    panels: [
      {
        title: 'Queries',
        says: 'Answered with a token, and failed by code (docs/errors.md).',
        unit: 'reqps',
        series: {
          [`sum(${rate('udp_director_queries_success')})`]: 'token',
          [sumBy('code', rate('udp_director_queries_failed_total'))]: '{{code}}'
        }
      },
      { title: 'Time of a query', says: 'The acknowledgement of the proxy included.', unit: 's', series: { [quantile(0.5)]: 'p50', [quantile(0.99)]: 'p99' } },
      {
        title: 'Tokens',
        says: 'Issued and what became of them.',
        unit: 'ops',
        series: {
          [sumBy('via', rate('udp_director_tokens_issued_total'))]: 'issued: {{via}}',
          [sumBy('data_port', rate('udp_director_tokens_redeemed_total'))]: 'redeemed: {{data_port}}',
          [`sum(${rate('udp_director_tokens_expired_total')})`]: 'expired',
          [sumBy('cause', rate('udp_director_tokens_revoked_total'))]: 'revoked: {{cause}}'
        }
      },
      {
        title: 'Requests refused before their route',
        says: 'By lists of addresses, bounds, authentication and rates.',
        unit: 'reqps',
        series: {
          [sumBy('listener, reason', rate('udp_director_requests_refused_total'))]: '{{listener}} {{reason}}',
          [sumBy('listener', rate('udp_director_connections_refused_total'))]: '{{listener}} connections'
        }
      }
    ]
  },
  {
    title: 'Drops and sheds',
    panels: [
      { title: 'Dropped on the way to targets', says: 'By reason (docs/metrics.md).', unit: 'pps', series: { [sumBy('reason', rate('udp_director_packets_dropped_total', 'direction="to_target"'))]: '{{reason}}' } },
      { title: 'Dropped on the way to clients', says: 'By reason (docs/metrics.md).', unit: 'pps', series: { [sumBy('reason', rate('udp_director_packets_dropped_total', 'direction="to_client"'))]: '{{reason}}' } },
      { title: 'Dropped by the kernel', says: 'The receive buffer of a data port was full. Engine batch only.', unit: 'pps', series: { [sumBy('data_port', rate('udp_director_receive_drops_total'))]: '{{data_port}}' } },
      {
        title: 'Errors and lines left out',
        says: 'Errors of sockets that belong to no single datagram; log and event lines that were too many.',
        unit: 'ops',
        series: {
          [`sum(${rate('udp_director_socket_errors_total')})`]: 'socket errors',
          [`sum(${rate('udp_director_log_lines_suppressed_total')})`]: 'log lines',
          [`sum(${rate('udp_director_events_dropped_total')})`]: 'event lines'
        }
      }
    ]
  },
  {
    title: 'Bounds',
    panels: [
      { title: 'How full: the proxy', says: 'Entries by capacity of each table. At 1 new work is refused.', unit: 'percentunit', series: { [fill('proxy')]: '{{table}} {{pod}}' } },
      { title: 'How full: control', says: 'Tables of callers fill and then forget the quietest; at 1 the others refuse new work.', unit: 'percentunit', series: { [fill('control')]: '{{table}} {{pod}}' } },
      { title: 'Tokens in the table', says: 'Redeemed ones included until their TTL is over.', unit: 'short', series: { [of('udp_director_tokens_active')]: '{{pod}}' } }
    ]
  },
  {
    title: 'Several directors',
    panels: [
      {
        title: 'Shared store',
        says: 'up is 1 while it can be asked; its answers by what they were.',
        unit: 'ops',
        series: { [of('udp_director_store_up')]: 'up {{pod}}', [sumBy('outcome', rate('udp_director_store_requests_total'))]: '{{outcome}}' }
      },
      { title: 'Time of a call of the store', says: 'p99. A new token and its redemption wait for one each.', unit: 's', series: { [`histogram_quantile(0.99, ${sumBy('op, le', rate('udp_director_store_request_duration_seconds_bucket'))})`]: '{{op}}' } },
      {
        title: 'Clients that wait for the store',
        says: 'What it said of their token, or of their session elsewhere; and datagrams that wait now.',
        unit: 'ops',
        series: { [sumBy('of, outcome', rate('udp_director_asks_total'))]: '{{of}}: {{outcome}}', [of('udp_director_held_datagrams')]: 'held {{pod}}' }
      },
      {
        title: 'Sessions and tokens that move',
        says: 'Sessions that went on here, or were seen at another director; tokens redeemed here that another one had issued.',
        unit: 'ops',
        series: {
          [sumBy('pod', rate('udp_director_sessions_followed_total'))]: 'followed {{pod}}',
          [sumBy('pod', rate('udp_director_sessions_seen_elsewhere_total'))]: 'seen elsewhere {{pod}}',
          [sumBy('pod', rate('udp_director_redeemed_elsewhere_total'))]: 'issued elsewhere {{pod}}'
        }
      },
      { title: 'Directors', says: 'How many share the store, as each of them sees it.', unit: 'short', series: { [of('udp_director_replicas')]: '{{pod}}' } }
    ]
  },
  {
    title: 'Inventory',
    panels: [
      { title: 'Age', says: 'Since it was last known to be true: 0 while every watch is open.', unit: 's', series: { [of('udp_director_inventory_last_success_age_seconds')]: '{{pod}}' } },
      {
        title: 'Objects and default targets',
        says: 'What queries and the default endpoint choose from.',
        unit: 'short',
        series: { [of('udp_director_inventory_objects')]: '{{resource_type}} {{pod}}', [of('udp_director_default_targets')]: 'default targets {{pod}}' }
      },
      {
        title: 'Reads and events',
        says: 'Lists of the API server or reads of files, and events of watches.',
        unit: 'ops',
        series: {
          [sumBy('outcome', rate('udp_director_inventory_reloads_total'))]: 'reads: {{outcome}}',
          [sumBy('outcome', rate('udp_director_inventory_events_total'))]: 'events: {{outcome}}'
        }
      },
      {
        title: 'Watches',
        says: 'timed_out and routine are health; docs/kubernetes.md explains the others.',
        unit: 'ops',
        series: {
          [sumBy('end', rate('udp_director_inventory_watch_ends_total'))]: 'end: {{end}}',
          [sumBy('reason', rate('udp_director_inventory_relists_total'))]: 'relist: {{reason}}',
          [sumBy('reason', rate('udp_director_inventory_bad_events_total'))]: 'bad event: {{reason}}'
        }
      }
    ]
  },
  {
    title: 'Processes, restarts, drain',
    panels: [
      {
        title: 'Link and restarts',
        says: 'up is 1 while control is synchronised with the proxy. A process that starts anew begins at 0.',
        unit: 's',
        series: {
          [`time() - ${of('udp_director_process_start_time_seconds')}`]: 'age of {{process}} {{pod}}',
          [of('udp_director_proxy_up')]: 'up {{pod}}'
        }
      },
      { title: 'Memory', says: 'Resident, in each process.', unit: 'bytes', series: { [of('udp_director_process_resident_memory_bytes')]: '{{process}} {{pod}}' } },
      { title: 'Processor', says: 'Cores used.', unit: 'short', series: { [rate('udp_director_process_cpu_seconds_total')]: '{{process}} {{pod}}' } },
      { title: 'Delay of control\'s event loop', says: 'How late it was since the last scrape.', unit: 's', series: { [of('udp_director_event_loop_delay_seconds')]: 'p{{quantile}} {{pod}}' } },
      { title: 'State logs', says: 'Their length: 0 if none are kept.', unit: 'bytes', series: { [of('udp_director_state_bytes')]: '{{pod}}' } },
      {
        title: 'State: faults and restored sessions',
        says: 'Times that it could not be written, or a log was set aside; 1 while what is new would be lost; sessions taken over at the last start.',
        unit: 'short',
        series: {
          [`increase(${of('udp_director_state_faults_total')}[$__rate_interval])`]: 'faults: {{operation}} {{pod}}',
          [of('udp_director_state_behind')]: 'behind {{pod}}',
          [of('udp_director_sessions_restored')]: 'restored {{pod}}'
        }
      },
      {
        title: 'Drain: what is left',
        says: 'Sessions and redeemable tokens that a pod waits for before it stops.',
        unit: 'short',
        series: { [of('udp_director_drain_sessions_left')]: 'sessions {{pod}}', [of('udp_director_drain_tokens_left')]: 'tokens {{pod}}' }
      },
      {
        title: 'Drain: time left',
        says: 'Until it ends in any case; and 1 while a process drains.',
        unit: 's',
        series: { [of('udp_director_drain_seconds_left')]: '{{pod}}', [of('udp_director_draining')]: '{{process}} drains {{pod}}' }
      }
    ]
  }
]
