import type { Metrics } from '../../../base/metrics.ts';
import { type EnsembleView, type LeaderView, memberOf } from '../ensemble-view.ts';
import type { ServerView } from '../server-view.ts';
import { quotaGaugeNames, registerQuotaGauges } from './quota-gauges.ts';

type Gauges<T> = Readonly<Record<string, (of: T) => number>>;

/** ZooKeeperServer.registerMetrics. */
const served: Gauges<ServerView> = {
  ephemerals_count: ({ tree }) => tree.ephemeralsCount,
  num_alive_connections: ({ connections }) => connections.size,
  avg_latency: ({ stats }) => Math.round(stats.latencyAvgMs * 10_000) / 10_000,
  outstanding_requests: ({ outstandingCount }) => outstandingCount,
  znode_count: ({ tree }) => tree.nodeCount,
  global_sessions: ({ globalSessions }) => globalSessions.size,
  non_mtls_remote_conn_count: ({ stats }) => stats.nonMtlsRemoteConnections,
  last_client_response_size: ({ stats }) => stats.lastResponseSize,
  packets_sent: ({ stats }) => stats.packetsSent,
  packets_received: ({ stats }) => stats.packetsReceived,
  max_client_response_size: ({ stats }) => stats.maxResponseSize,
  connection_drop_probability: ({ connectionDropChance }) => connectionDropChance,
  watch_count: ({ tree }) => tree.watches.size,
  auth_failed_count: ({ stats }) => stats.authFailedCount,
  min_latency: ({ stats }) => stats.latencyMinMs,
  max_file_descriptor_count: ({ process }) => process.maxFileCount(),
  approximate_data_size: ({ tree }) => tree.approximateDataSize,
  open_file_descriptor_count: ({ process }) => process.openFileCount(),
  local_sessions: ({ sessions }) => sessions.localCount,
  uptime: ({ uptimeMs }) => Math.floor(uptimeMs),
  max_latency: ({ stats }) => stats.latencyMaxMs,
  min_client_response_size: ({ stats }) => stats.minResponseSize,
  non_mtls_local_conn_count: ({ stats }) => stats.nonMtlsLocalConnections,
};

/** QuorumZooKeeperServer.registerMetrics. */
const ofMembers: Gauges<EnsembleView> = {
  quorum_size: ({ membership }) => membership.verifier.voters.size,
};

/** LeaderZooKeeperServer.registerMetrics. */
const ofLeaders: Gauges<LeaderView> = {
  learners: ({ learnerCount }) => learnerCount,
  synced_followers: ({ followerCount }) => followerCount,
  synced_non_voting_followers: ({ nonVotingCount }) => nonVotingCount,
  pending_syncs: ({ pendingSyncCount }) => pendingSyncCount,
  leader_uptime: ({ uptimeMs }) => Math.floor(uptimeMs),
  last_proposal_size: ({ proposalSizes }) => proposalSizes.last,
  max_proposal_size: ({ proposalSizes }) => proposalSizes.max,
  min_proposal_size: ({ proposalSizes }) => proposalSizes.min,
};

/** The values of the moment, as long as the server serves. This one stays for good, as in Apache's server: `outstanding_tls_handshake`. */
export function registerGauges(metrics: Metrics, server: ServerView): void {
  const { mode, stats, config } = server;
  const ensemble = memberOf(server);
  register(metrics, served, () => server);
  metrics.gauge('outstanding_tls_handshake', () => stats.outstandingTlsHandshakes);
  registerQuotaGauges(metrics, server.tree);
  if (ensemble === undefined) return;
  register(metrics, ofMembers, () => ensemble);
  if (mode === 'leader') register(metrics, ofLeaders, () => ensemble.leading);
  // A follower that takes no observers says so with no value, which only one provider shows, as 0.
  const takesObservers = config.observerMasterPort !== undefined || config.metricsProvider.kind === 'prometheus';
  if (mode === 'leader' || (mode === 'follower' && takesObservers)) {
    metrics.gauge('synced_observers', () => ensemble.observers().length);
  }
}

export function unregisterGauges(metrics: Metrics): void {
  for (const gauges of [served, ofMembers, ofLeaders]) for (const name of Object.keys(gauges)) metrics.remove(name);
  metrics.remove('synced_observers');
  for (const name of quotaGaugeNames) metrics.remove(name);
}

function register<T>(metrics: Metrics, gauges: Gauges<T>, subject: () => T | undefined): void {
  for (const [name, read] of Object.entries(gauges)) {
    metrics.gauge(name, () => {
      const of = subject();
      return of === undefined ? 0 : read(of);
    });
  }
}
