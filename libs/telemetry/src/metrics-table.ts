// Every metric there is, once: control's registry, the proxy's samples and docs/metrics.md derive from this table, and
// a test moves each of them. Labels take their values from closed sets or from the configuration, never from clients.

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** The process that measures it. Control exposes both on `/metrics`; the proxy's come over the link at scrape time. */
  readonly from: 'control' | 'proxy' | 'both'
  readonly help: string
  readonly labels: readonly string[]
  /** Histograms: upper bounds, in the metric's unit. */
  readonly buckets?: readonly number[]
}

// A query is answered from memory plus one round trip over a Unix socket: tens of microseconds to a few milliseconds.
// The top bucket is the default push deadline, beyond which there is only the 503.
const querySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] as const

// 0.3 ms on loopback (26 Nov 2026); the default of `limits.storeDeadlineMs` is 0.25 s.
const storeSeconds = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1] as const

export const metrics = {
  udp_director_queries_total: { type: 'counter', from: 'control', help: 'Queries received.', labels: [] },
  udp_director_queries_success: { type: 'counter', from: 'control', help: 'Queries answered with a token.', labels: [] },
  udp_director_queries_failed_total: { type: 'counter', from: 'control', help: 'Queries answered with an error, by its code.', labels: ['code'] },
  udp_director_query_duration_seconds: { type: 'histogram', from: 'control', help: 'From the request to its answer, the acknowledgement of the proxy included.', labels: [], buckets: querySeconds },
  udp_director_requests_refused_total: { type: 'counter', from: 'control', help: 'HTTP requests refused before their route did anything, by listener (public, admin) and by what refused them: forwarded (the caller is unclear), host (a name that is not served, or a page of another site), access, under_way, authentication, rate, work (`limits.queryWorkPerSecond`).', labels: ['listener', 'reason'] },
  udp_director_connections_refused_total: { type: 'counter', from: 'control', help: 'HTTP connections closed because of `limits.maxConnections`, by listener.', labels: ['listener'] },
  udp_director_authentications_failed_total: { type: 'counter', from: 'control', help: 'Requests without a key or token that is accepted, by listener: missing, malformed, refused, or unavailable because there was nothing to verify with.', labels: ['listener', 'reason'] },
  udp_director_key_reads_total: { type: 'counter', from: 'control', help: 'Times that the keys of a listener were read or fetched and there was something new to say: ok, or fault, after which the last good ones stay.', labels: ['listener', 'outcome'] },
  udp_director_tokens_issued_total: { type: 'counter', from: 'control', help: 'Tokens acknowledged by the proxy and handed out: by a query, or by POST /tokens.', labels: ['via'] },
  udp_director_tokens_revoked_total: { type: 'counter', from: 'control', help: 'Tokens made void before their time: by an operator, because the proxy, or the shared store, did not acknowledge them in time (unacknowledged), or because their target is gone or not any more what was asked for (target_gone).', labels: ['cause'] },
  udp_director_inventory_objects: { type: 'gauge', from: 'control', help: 'Objects in the inventory.', labels: ['resource_type'] },
  udp_director_inventory_reloads_total: { type: 'counter', from: 'control', help: 'Reads of the inventory, of files or lists of the Kubernetes API: ok, or fault.', labels: ['outcome'] },
  udp_director_inventory_events_total: { type: 'counter', from: 'control', help: 'Events of Kubernetes watches, bookmarks included: applied, or stale because something newer was known.', labels: ['outcome'] },
  udp_director_inventory_bad_events_total: { type: 'counter', from: 'control', help: 'Events of Kubernetes watches that made no sense, after which objects are listed again.', labels: ['reason'] },
  udp_director_inventory_watch_ends_total: { type: 'counter', from: 'control', help: 'Kubernetes watches that ended.', labels: ['end'] },
  udp_director_inventory_relists_total: { type: 'counter', from: 'control', help: 'Times that a watch could not go on from where it was, and the objects had to be listed again.', labels: ['reason'] },
  udp_director_inventory_last_success_age_seconds: { type: 'gauge', from: 'control', help: 'Since the inventory was last known to be true.', labels: [] },
  udp_director_default_targets: { type: 'gauge', from: 'control', help: 'Candidates of the default endpoint.', labels: [] },
  udp_director_proxy_up: { type: 'gauge', from: 'control', help: '1 while the link to the proxy is synchronised, 0 otherwise.', labels: [] },
  udp_director_proxy_link_connects_total: { type: 'counter', from: 'control', help: 'Snapshots acknowledged by a proxy.', labels: [] },
  udp_director_proxy_push_batch_size: { type: 'histogram', from: 'control', help: 'Tokens that left together in one push.', labels: [], buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2000] },
  udp_director_store_up: { type: 'gauge', from: 'control', help: '1 while the shared store can be asked, 0 otherwise; absent without `sharedState`.', labels: [] },
  udp_director_replicas: { type: 'gauge', from: 'control', help: 'Directors that share the store, this one too, as far as it has heard of them within some seconds; 1 while the store cannot be asked, absent without `sharedState`.', labels: [] },
  udp_director_store_request_duration_seconds: { type: 'histogram', from: 'control', help: 'How long the shared store took for a call, those that failed too.', labels: ['op'], buckets: storeSeconds },
  udp_director_store_requests_total: { type: 'counter', from: 'control', help: 'Calls of the shared store, by what they ended with: ok; down, it was not connected; late, no answer within `limits.storeDeadlineMs`; refused, an error.', labels: ['op', 'outcome'] },
  udp_director_store_newer_records_total: { type: 'counter', from: 'control', help: 'Records of the shared store that were passed over because a newer version of the director wrote them.', labels: [] },
  udp_director_store_targets_refused_total: { type: 'counter', from: 'control', help: 'Tokens and sessions of the shared store that were not used, because this director may not send to their target. Only a fault, or somebody who should not write to the store, makes such.', labels: [] },
  udp_director_redeemed_elsewhere_total: { type: 'counter', from: 'control', help: 'Tokens redeemed here that another director of the same store had issued.', labels: [] },
  udp_director_sessions_active: { type: 'gauge', from: 'proxy', help: 'Sessions in the table.', labels: [] },
  udp_director_sessions_created_total: { type: 'counter', from: 'proxy', help: 'Sessions established: by a token, or on the default endpoint.', labels: ['origin'] },
  udp_director_sessions_reset_total: { type: 'counter', from: 'proxy', help: 'Live sessions whose target was replaced: by a token, by an operator, or by the default endpoint because it was gone.', labels: ['origin'] },
  udp_director_sessions_ended_total: { type: 'counter', from: 'proxy', help: 'Sessions that ended: timeout, operator, target_gone, or evicted by a token where the table was full.', labels: ['cause'] },
  udp_director_targets_gone_total: { type: 'counter', from: 'proxy', help: 'Targets with sessions that disappeared, by what became of the sessions: keep, close, default.', labels: ['action'] },
  udp_director_tokens_active: { type: 'gauge', from: 'proxy', help: 'Tokens in the table, consumed ones included until their TTL is over.', labels: [] },
  udp_director_tokens_redeemed_total: { type: 'counter', from: 'proxy', help: 'Tokens redeemed.', labels: ['data_port'] },
  udp_director_first_tokens_dead_total: { type: 'counter', from: 'proxy', help: 'First datagrams of clients that were a token which cannot be redeemed, by what is wrong with it. As `onInvalidToken` says, they are dropped, or go on to the default endpoint.', labels: ['reason'] },
  udp_director_tokens_expired_total: { type: 'counter', from: 'proxy', help: 'Tokens whose TTL ended before anyone redeemed them.', labels: [] },
  udp_director_packets_received_total: { type: 'counter', from: 'proxy', help: 'Datagrams received. data_port is none for replies from addresses that are nobody\'s target.', labels: ['direction', 'data_port'] },
  udp_director_packets_proxied_total: { type: 'counter', from: 'proxy', help: 'Datagrams forwarded.', labels: ['direction', 'data_port'] },
  udp_director_bytes_proxied_total: { type: 'counter', from: 'proxy', help: 'Bytes of the datagrams forwarded, headers not counted.', labels: ['direction', 'data_port'] },
  udp_director_packets_consumed_total: { type: 'counter', from: 'proxy', help: 'Datagrams that were for the director and ended here: token, reset, retransmit.', labels: ['kind'] },
  udp_director_packets_dropped_total: { type: 'counter', from: 'proxy', help: 'Datagrams dropped, by reason (docs/protocol.md lists them). received = proxied + consumed + dropped + held + in flight.', labels: ['direction', 'reason'] },
  udp_director_receive_drops_total: { type: 'counter', from: 'proxy', help: 'Datagrams the kernel dropped because a data port\'s receive buffer was full; received does not count them. Engine batch only: Node does not tell.', labels: ['data_port'] },
  udp_director_asks_total: { type: 'counter', from: 'proxy', help: 'Times that clients waited for what the shared store says, of their token or of a session that follows them (of), by what it said. late: the store did not answer; unanswered: nothing came in time; unheard: control went away. From zero in each life of the proxy.', labels: ['of', 'outcome'] },
  udp_director_held_datagrams: { type: 'gauge', from: 'proxy', help: 'Datagrams that wait for what the shared store says.', labels: [] },
  udp_director_sessions_followed_total: { type: 'counter', from: 'proxy', help: 'Sessions of another replica that go on here, because their client\'s datagrams come here now.', labels: [] },
  udp_director_sessions_seen_elsewhere_total: { type: 'counter', from: 'proxy', help: 'Sessions here that were to end soon, because their client\'s datagrams come to another replica now. From zero in each life of the proxy.', labels: [] },
  udp_director_upstream_sockets: { type: 'gauge', from: 'proxy', help: 'Sockets open towards targets.', labels: [] },
  udp_director_targets_active: { type: 'gauge', from: 'proxy', help: 'Targets that a session, a token or the default endpoint refers to.', labels: [] },
  udp_director_table_entries: { type: 'gauge', from: 'both', help: 'Entries in each table, queue or set of connections that has a bound.', labels: ['process', 'table'] },
  udp_director_table_capacity: { type: 'gauge', from: 'both', help: 'The bound of each of these. What comes beyond it is refused and counted: by the proxy as datagrams dropped, by control as queries failed.', labels: ['process', 'table'] },
  udp_director_socket_errors_total: { type: 'counter', from: 'proxy', help: 'Errors sockets reported that belong to no single datagram.', labels: [] },
  udp_director_events_dropped_total: { type: 'counter', from: 'proxy', help: 'Lines of events left out because their reader was slow, by kind. Counts are never left out.', labels: ['event'] },
  udp_director_log_lines_suppressed_total: { type: 'counter', from: 'proxy', help: 'Log lines left out by `limits.warningsPerSecond` and `limits.sessionLinesPerSecond`.', labels: [] },
  udp_director_state_bytes: { type: 'gauge', from: 'proxy', help: 'Length of the logs that a restart finds its sessions in; 0 if none are kept.', labels: [] },
  udp_director_state_behind: { type: 'gauge', from: 'proxy', help: '1 while a restart would lose what is new: the disk takes it late, or it cannot be written.', labels: [] },
  udp_director_state_faults_total: { type: 'counter', from: 'proxy', help: 'Times that the state could not be written, and logs that could not be read and were set aside.', labels: ['operation'] },
  udp_director_sessions_restored: { type: 'gauge', from: 'proxy', help: 'Sessions that the proxy took over from the one before it when it started.', labels: [] },
  udp_director_event_loop_delay_seconds: { type: 'gauge', from: 'control', help: 'How late control\'s event loop was since the last scrape. Above a few milliseconds queries wait for it.', labels: ['quantile'] },
  udp_director_draining: { type: 'gauge', from: 'both', help: '1 while the process drains: control hands out no tokens, the proxy takes no new sessions on the default endpoint.', labels: ['process'] },
  udp_director_drain_sessions_left: { type: 'gauge', from: 'control', help: 'Sessions that a drain waits for, as the proxy last said. 0 without a drain.', labels: [] },
  udp_director_drain_tokens_left: { type: 'gauge', from: 'control', help: 'Tokens that a drain waits for, because they can still be redeemed. 0 without a drain.', labels: [] },
  udp_director_drain_seconds_left: { type: 'gauge', from: 'control', help: 'Until a drain ends in any case. 0 without a drain.', labels: [] },
  udp_director_process_resident_memory_bytes: { type: 'gauge', from: 'both', help: 'Resident memory.', labels: ['process'] },
  udp_director_process_cpu_seconds_total: { type: 'counter', from: 'both', help: 'Processor time used, user and system.', labels: ['process'] },
  udp_director_process_start_time_seconds: { type: 'gauge', from: 'both', help: 'When the process started, in seconds since the Unix epoch.', labels: ['process'] }
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metrics
