import type { ClientConnection } from '../client-connection.ts';
import { shortOpName } from '../connection-stats.ts';
import { average } from '../java-double.ts';
import { isLearner, type ServerView } from '../server-view.ts';
import { SERVER_VERSION } from '../version.ts';
import { type AdminCommand, command, type Data } from './admin-command.ts';

/** Commands that show something, and change figures at most. The fields and their order are Apache's (Commands). */
export const lookingCommands: readonly AdminCommand[] = [
  command(['connection_stat_reset', 'crst'], (server) => {
    for (const { stats } of server.connections) stats.reset();
    return {};
  }),
  command(['configuration', 'conf', 'config'], configuration),
  command(['connections', 'cons'], (server) => ({
    connections: connectionsOf(server, detailsOf),
    secure_connections: [],
  })),
  command(['hash'], ({ tree }) => ({
    digests: tree.digestLog.entries.map(({ zxid, digest }) => ({ zxid, digest_version: 2, digest })),
  })),
  command(['dirs'], (server) => ({
    datadir_size: server.files.sizeOf(server.files.snapshotDirectory),
    logdir_size: server.files.sizeOf(server.files.logDirectory),
  })),
  command(['dump'], dump),
  command(['is_read_only', 'isro'], ({ mode }) => ({ read_only: mode === 'read-only' })),
  {
    names: ['last_snapshot', 'lsnp'],
    run: (server) => {
      const last = server.files.lastSnapshot();
      const seconds = last === undefined ? -1 : Math.floor(last.modifiedMs / 1000);
      return { data: { zxid: last === undefined ? 'ffffffffffffffff' : last.zxid.toString(16), timestamp: seconds } };
    },
  },
  command(['ruok'], () => ({})),
  command(['server_stats', 'srvr'], serverStats),
  command(['stats', 'stat'], (server) => ({
    ...serverStats(server),
    connections: connectionsOf(server, () => ({})),
    secure_connections: [],
  })),
  command(['stat_reset', 'srst'], (server) => {
    server.resetStats();
    return {};
  }),
  command(['watches', 'wchc'], watchesBySession),
  command(['watches_by_path', 'wchp'], watchesByPath),
  command(['watch_summary', 'wchs'], ({ tree: { watches } }) => ({
    num_connections: new Set([...watches.data.watchers(), ...watches.child.watchers()]).size,
    num_paths: new Set([...watches.data.paths(), ...watches.child.paths()]).size,
    num_total_watches: watches.size,
  })),
];

function configuration(server: ServerView): Data {
  const { config } = server;
  return {
    client_port: server.clientPort,
    data_dir: server.files.snapshotDirectory,
    data_log_dir: server.files.logDirectory,
    tick_time: config.tickTimeMs,
    max_client_cnxns: config.maxClientCnxns,
    min_session_timeout: config.minSessionTimeoutMs,
    max_session_timeout: config.maxSessionTimeoutMs,
    server_id: server.serverId,
    client_port_listen_backlog: config.clientPortListenBacklog,
  };
}

function connectionsOf(server: ServerView, more: (connection: ClientConnection) => Data): Data[] {
  return [...server.connections].map((connection) => {
    const { remote, stats } = connection;
    const host = remote.host.includes(':') ? `[${remote.host}]` : remote.host;
    return {
      remote_socket_address: `${host}:${remote.port}`,
      interest_ops: connection.isReading ? 1 : 0,
      outstanding_requests: connection.queuedCount,
      packets_received: stats.packetsReceived,
      packets_sent: stats.packetsSent,
      ...more(connection),
    };
  });
}

function detailsOf({ sessionId, session, stats, acceptedMs }: ClientConnection): Data {
  const isFresh = stats.latencyCount === 0;
  return {
    session_id: sessionId,
    last_operation: shortOpName(stats.lastType),
    established: acceptedMs,
    session_timeout: session?.timeoutMs ?? 0,
    last_cxid: stats.lastCxid,
    last_zxid: stats.lastZxid,
    last_response_time: stats.lastResponseMs,
    last_latency: stats.lastLatencyMs,
    min_latency: isFresh ? 0 : stats.minLatencyMs,
    avg_latency: isFresh ? 0 : Math.floor(stats.totalLatencyMs / stats.latencyCount),
    max_latency: stats.maxLatencyMs,
  };
}

function dump({ sessions, tree, mode }: ServerView): Data {
  // A learner judges nobody's time.
  const judged = isLearner(mode) ? [] : sessions.buckets;
  const buckets = [...judged].sort(([a], [b]) => a - b);
  return {
    expiry_time_to_session_ids: Object.fromEntries(
      buckets.map(([deadlineMs, bucket]) => [String(deadlineMs), [...bucket].map(({ id }) => id)]),
    ),
    session_id_to_ephemeral_paths: Object.fromEntries(
      [...tree.ephemerals].map(([session, paths]) => [String(session), [...paths]]),
    ),
  };
}

function serverStats(server: ServerView): Data {
  const { stats, tree } = server;
  const responses: Data = {
    last_buffer_size: stats.lastResponseSize,
    min_buffer_size: stats.minResponseSize,
    max_buffer_size: stats.maxResponseSize,
  };
  return {
    version: SERVER_VERSION,
    read_only: server.mode === 'read-only',
    server_stats: {
      packets_sent: stats.packetsSent,
      packets_received: stats.packetsReceived,
      fsync_threshold_exceed_count: stats.slowSyncs,
      client_response_stats: responses,
      provider_null: false,
      data_dir_size: server.files.sizeOf(server.files.snapshotDirectory),
      log_dir_size: server.files.sizeOf(server.files.logDirectory),
      last_processed_zxid: tree.lastProcessedZxid,
      outstanding_requests: server.outstandingCount,
      server_state: server.mode,
      avg_latency: average(stats.latencyAvgMs),
      max_latency: stats.latencyMaxMs,
      min_latency: stats.latencyMinMs,
      num_alive_client_connections: server.connections.size,
      uptime: Math.floor(server.uptimeMs),
      auth_failed_count: stats.authFailedCount,
      non_mtlsremote_conn_count: 0,
      non_mtlslocal_conn_count: 0,
    },
    client_response: responses,
    ...proposalStats(server),
    node_count: tree.nodeCount,
  };
}

function proposalStats({ ensemble }: ServerView): Data {
  const sizes = ensemble?.leading?.proposalSizes;
  if (sizes === undefined) return {};
  return {
    proposal_stats: { last_buffer_size: sizes.last, min_buffer_size: sizes.min, max_buffer_size: sizes.max },
  };
}

function watchesBySession({ connections, tree: { watches } }: ServerView): Data {
  const bySession: Record<string, string[]> = {};
  for (const connection of connections) {
    const paths = new Set([...watches.data.pathsOf(connection), ...watches.child.pathsOf(connection)]);
    if (paths.size > 0) bySession[String(connection.sessionId)] = [...paths];
  }
  return { session_id_to_watched_paths: bySession };
}

function watchesByPath({ connections, tree: { watches } }: ServerView): Data {
  const byPath = new Map<string, bigint[]>();
  for (const connection of connections) {
    for (const path of new Set([...watches.data.pathsOf(connection), ...watches.child.pathsOf(connection)])) {
      byPath.set(path, [...(byPath.get(path) ?? []), connection.sessionId]);
    }
  }
  return { path_to_session_ids: Object.fromEntries(byPath) };
}
