import type { Metrics } from '../../base/metrics.ts';
import { registerQuotaGauges } from './quota-gauges.ts';
import type { ServerView } from './server-view.ts';

/** The values of the moment (ZooKeeperServer.registerMetrics). */
export function registerGauges(metrics: Metrics, server: ServerView): void {
  const { stats, sessions, tree, process } = server;
  metrics.gauge('ephemerals_count', () => tree.ephemeralsCount);
  metrics.gauge('num_alive_connections', () => server.connections.size);
  metrics.gauge('avg_latency', () => Math.round(stats.latencyAvgMs * 10_000) / 10_000);
  metrics.gauge('outstanding_requests', () => server.outstandingCount);
  metrics.gauge('znode_count', () => tree.nodeCount);
  metrics.gauge('global_sessions', () => sessions.size - sessions.localCount);
  metrics.gauge('non_mtls_remote_conn_count', () => stats.nonMtlsRemoteConnections);
  metrics.gauge('last_client_response_size', () => stats.lastResponseSize);
  metrics.gauge('packets_sent', () => stats.packetsSent);
  metrics.gauge('packets_received', () => stats.packetsReceived);
  metrics.gauge('max_client_response_size', () => stats.maxResponseSize);
  metrics.gauge('connection_drop_probability', () => server.connectionDropChance);
  metrics.gauge('watch_count', () => tree.watches.size);
  metrics.gauge('auth_failed_count', () => stats.authFailedCount);
  metrics.gauge('min_latency', () => stats.latencyMinMs);
  metrics.gauge('max_file_descriptor_count', () => process.maxFileCount());
  metrics.gauge('approximate_data_size', () => tree.approximateDataSize);
  metrics.gauge('open_file_descriptor_count', () => process.openFileCount());
  metrics.gauge('local_sessions', () => sessions.localCount);
  metrics.gauge('uptime', () => Math.floor(server.uptimeMs));
  metrics.gauge('max_latency', () => stats.latencyMaxMs);
  metrics.gauge('outstanding_tls_handshake', () => stats.outstandingTlsHandshakes);
  metrics.gauge('min_client_response_size', () => stats.minResponseSize);
  metrics.gauge('non_mtls_local_conn_count', () => stats.nonMtlsLocalConnections);
  registerQuotaGauges(metrics, tree);
}
