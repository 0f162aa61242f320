import { type CounterSet, Metrics, type MetricsOptions, type Summary } from '../../../base/metrics.ts';
import { EventType } from '../../jute/events.ts';
import type { FileSnapLog } from '../../persistence/file-snap-log.ts';
import type { Recovered } from '../../persistence/recovery.ts';
import type { TreeAccount } from '../../tree/tree-account.ts';
import type { ServerStats } from '../server-stats.ts';
import { NamespaceBytes, namespaceOf } from './namespaces.ts';
import { QuorumMetrics } from './quorum-metrics.ts';

/** What a reply holds of a node beside its data (DataTree.STAT_OVERHEAD_BYTES). */
const STAT_BYTES = 68;

/** Names of stages that this server does not have, or that have no queue or thread of their own here: they stay at zero. */
const unusedCounters = [
  'add_dead_watcher_stall_time',
  'dead_watchers_queued',
  'dead_watchers_cleared',
  'response_packet_cache_hits',
  'response_packet_cache_misses',
  'response_packet_get_children_cache_hits',
  'response_packet_get_children_cache_misses',
  'quit_leading_due_to_disloyal_voter',
  'cnxn_closed_without_zk_server_running',
  'skip_learner_request_to_next_processor_count',
  'requests_not_forwarded_to_commit_processor',
];
const unusedSummaries = [
  'prep_processor_queue_size',
  'prep_process_time',
  'proposal_process_time',
  'requests_in_session_queue',
  'pending_session_queue_size',
  'reads_after_write_in_session_queue',
  'reads_issued_from_session_queue',
  'session_queues_drained',
  'time_waiting_empty_pool_in_commit_processor_read_ms',
  'write_batch_time_in_commit_processor',
  'concurrent_request_processing_in_commit_processor',
  'read_commit_proc_req_queued',
  'write_commit_proc_req_queued',
  'commit_commit_proc_req_queued',
  'read_commit_proc_issued',
  'write_commit_proc_issued',
  'commit_process_time',
  'sync_process_time',
  'netty_queued_buffer_capacity',
  'learner_request_processor_queue_size',
];
const unusedAdvancedSummaries = [
  'dead_watchers_cleaner_latency',
  'prep_processor_queue_time_ms',
  'read_commitproc_time_ms',
  'write_commitproc_time_ms',
  'local_write_committed_time_ms',
  'server_write_committed_time_ms',
  'om_proposal_process_time_ms',
  'om_commit_process_time_ms',
  'read_final_proc_time_ms',
  'write_final_proc_time_ms',
  'sync_processor_queue_time_ms',
];

export interface ServerMetricsOptions extends MetricsOptions {
  readonly stats: ServerStats;
}

/**
 * Every metric of Apache's ServerMetrics under its name. Durations are whole milliseconds. Names whose event cannot happen in
 * this server are there with their zero, since dashboards ask for all.
 */
export class ServerMetrics implements TreeAccount {
  readonly all: Metrics;
  readonly fsyncTime: Summary;
  readonly snapshotTime: Summary;
  readonly restoreTime: Summary;
  readonly dbInitTime: Summary;
  readonly readLatency: Summary;
  readonly updateLatency: Summary;
  readonly propagationLatency: Summary;
  readonly closeSessionPrepTime: Summary;
  readonly connectionTokenDeficit: Summary;
  readonly startupTxnsLoaded: Summary;
  readonly startupTxnsLoadTime: Summary;
  readonly startupSnapLoadTime: Summary;
  readonly syncQueueSize: Summary;
  readonly syncBatchSize: Summary;
  readonly syncFlushTime: Summary;
  readonly syncQueueAndFlushTime: Summary;
  readonly jvmPauseTime: Summary;
  readonly requestThrottleQueueTime: Summary;
  /** Plain connections to an AdminServer that takes TLS too. */
  readonly insecureAdminCount;
  readonly snapshotErrorCount;
  readonly snapshotRateLimitedCount;
  readonly restoreErrorCount;
  readonly restoreRateLimitedCount;
  readonly unrecoverableErrorCount;
  readonly digestMismatchesCount;
  readonly connectionRevalidateCount;
  /** Requests that were to be prepared, and those that were to be logged. */
  readonly prepared;
  readonly logged;
  readonly changesQueued;
  readonly changesRemoved;
  readonly quorum: QuorumMetrics;
  readonly quotaExceeded: CounterSet;
  readonly #created: Summary;
  readonly #deleted: Summary;
  readonly #changed: Summary;
  readonly #children: Summary;
  readonly #readBytes: NamespaceBytes;
  readonly #writtenBytes: NamespaceBytes;

  constructor({ stats, ...options }: ServerMetricsOptions) {
    const all = new Metrics(options);
    this.all = all;
    this.fsyncTime = all.summary('fsynctime');
    this.snapshotTime = all.summary('snapshottime');
    this.restoreTime = all.summary('restore_time');
    this.dbInitTime = all.summary('dbinittime');
    this.connectionTokenDeficit = all.summary('connection_token_deficit');
    this.#created = all.summary('node_created_watch_count');
    this.#deleted = all.summary('node_deleted_watch_count');
    this.#changed = all.summary('node_changed_watch_count');
    this.#children = all.summary('node_children_watch_count');
    this.startupTxnsLoaded = all.summary('startup_txns_loaded');
    this.startupTxnsLoadTime = all.summary('startup_txns_load_time');
    this.startupSnapLoadTime = all.summary('startup_snap_load_time');
    this.syncQueueSize = all.summary('sync_processor_queue_size');
    this.syncBatchSize = all.summary('sync_processor_batch_size');

    this.readLatency = all.summary('readlatency', 'advanced');
    this.updateLatency = all.summary('updatelatency', 'advanced');
    this.propagationLatency = all.summary('propagation_latency', 'advanced');
    this.closeSessionPrepTime = all.summary('close_session_prep_time', 'advanced');
    this.syncFlushTime = all.summary('sync_processor_queue_flush_time_ms', 'advanced');
    this.syncQueueAndFlushTime = all.summary('sync_processor_queue_and_flush_time_ms', 'advanced');
    this.requestThrottleQueueTime = all.summary('request_throttle_queue_time_ms', 'advanced');
    this.jvmPauseTime = all.summary('jvm_pause_time_ms', 'advanced');

    this.insecureAdminCount = all.counter('insecure_admin_count');
    this.snapshotErrorCount = all.counter('snapshot_error_count');
    this.snapshotRateLimitedCount = all.counter('snapshot_rate_limited_count');
    this.restoreErrorCount = all.counter('restore_error_count');
    this.restoreRateLimitedCount = all.counter('restore_rate_limited_count');
    this.unrecoverableErrorCount = all.counter('unrecoverable_error_count');
    this.digestMismatchesCount = all.counter('digest_mismatches_count');
    this.connectionRevalidateCount = all.counter('connection_revalidate_count');
    this.prepared = all.counter('prep_processor_request_queued');
    this.logged = all.counter('sync_processor_request_queued');
    this.changesQueued = all.counter('outstanding_changes_queued');
    this.changesRemoved = all.counter('outstanding_changes_removed');
    this.quotaExceeded = all.counterSet('quota_exceeded_error_per_namespace');
    this.#readBytes = new NamespaceBytes(all.summarySet('read_per_namespace'));
    this.#writtenBytes = new NamespaceBytes(all.summarySet('write_per_namespace'));

    this.quorum = new QuorumMetrics(all);
    this.#registerStats(stats);
    for (const name of unusedCounters) all.counter(name);
    for (const name of unusedSummaries) all.summary(name);
    for (const name of unusedAdvancedSummaries) all.summary(name, 'advanced');
  }

  /** One line for each counter of ServerStats; those at 0 belong to a part that this server lacks. */
  #registerStats(stats: ServerStats): void {
    const { all } = this;
    all.counterView('bytes_received_count', () => stats.bytesReceived);
    all.counterView('response_bytes', () => stats.responseBytes);
    all.counterView('watch_bytes', () => stats.watchBytes);
    all.counterView('connection_request_count', () => stats.connectionRequests);
    all.counterView('connection_rejected', () => stats.connectionsRejected);
    all.counterView('connection_drop_count', () => stats.connectionsDropped);
    all.counterView('sessionless_connections_expired', () => stats.sessionlessExpired);
    all.counterView('stale_sessions_expired', () => stats.sessionsExpired);
    all.counterView('throttled_ops', () => stats.throttledOps);
    all.counterView('stale_requests', () => stats.staleRequests);
    all.counterView('stale_requests_dropped', () => stats.staleRequestsDropped);
    all.counterView('stale_replies', () => stats.staleReplies);
    all.counterView('request_throttle_wait_count', () => stats.requestThrottleWaitCount);
    all.counterView('large_requests_rejected', () => stats.largeRequestsRejected);
    all.counterView('ensemble_auth_success', () => stats.ensembleAuthSuccess);
    all.counterView('ensemble_auth_fail', () => stats.ensembleAuthFail);
    all.counterView('ensemble_auth_skip', () => stats.ensembleAuthSkip);
    all.counterView('unsuccessful_handshake', () => stats.unsuccessfulHandshakes);
    all.counterView('tls_handshake_exceeded', () => stats.tlsHandshakesExceeded);
  }

  /** What the start took, and every sync and snapshot from now on. */
  observeFiles(files: FileSnapLog, recovered: Recovered, stats: ServerStats): void {
    this.startupSnapLoadTime.add(recovered.snapshotLoadMs);
    this.dbInitTime.add(recovered.snapshotLoadMs + recovered.replayMs);
    this.digestMismatchesCount.add(recovered.digestMismatches);
    if (recovered.snapshot !== undefined) {
      this.startupTxnsLoaded.add(recovered.replayedCount);
      this.startupTxnsLoadTime.add(recovered.replayMs);
    }
    if (files.lastSnapshot !== undefined) this.snapshotTime.add(files.lastSnapshot.durationMs);
    files.onSnapshot = ({ durationMs }) => this.snapshotTime.add(durationMs);
    files.log.onSync = (tookMs, isSlow) => {
      this.fsyncTime.add(tookMs);
      if (isSlow) stats.slowSyncs += 1;
    };
  }

  /** A client got a node, its stat or its children: so many bytes beside its path and its stat. */
  read(path: string, bytes: number): void {
    this.#readBytes.add(path, path.length + bytes + STAT_BYTES);
  }

  wrote(path: string, bytes: number): void {
    this.#writtenBytes.add(path, path.length + bytes);
  }

  watchesFired(type: EventType, count: number): void {
    if (type === EventType.NodeDataChanged) this.#changed.add(count);
    else if (type === EventType.NodeChildrenChanged) this.#children.add(count);
    else if (type === EventType.NodeCreated) this.#created.add(count);
    else if (type === EventType.NodeDeleted) this.#deleted.add(count);
  }

  quotaWasExceeded(path: string): void {
    const namespace = namespaceOf(path);
    if (namespace !== undefined) this.quotaExceeded.of(namespace).add();
  }

  /** So many reads, each answered after so long. */
  answeredReads(latencyMs: number, count: number): void {
    this.readLatency.add(Math.floor(latencyMs), count);
  }

  /** A write was answered: it waited in its group, which was synced. */
  answeredWrite(latencyMs: number): void {
    const wholeMs = Math.floor(latencyMs);
    this.updateLatency.add(wholeMs);
    this.syncQueueAndFlushTime.add(wholeMs);
  }
}
