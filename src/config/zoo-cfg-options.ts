import { accepted, type Limits, type Option, option, tableOf } from './options.ts';
import { keysWithoutCounterpart } from './zoo-cfg-accepted.ts';
import { authOptions, authSystemProperties } from './zoo-cfg-auth-options.ts';
import { limitKeys } from './zoo-cfg-limits.ts';
import { quorumParsedKeys, quorumPropertyKeys, quorumSystemProperties } from './zoo-cfg-quorum.ts';
import { quorumSecurityKeys, quorumSecurityPropertyKeys } from './zoo-cfg-quorum-security.ts';
import { tlsOptions } from './zoo-cfg-tls-options.ts';

const port: Limits = { min: 0, max: 65_535 };
const DEFAULT_METRICS_PROVIDER = 'org.apache.zookeeper.metrics.impl.DefaultMetricsProvider';

const ms: Limits = { unit: 'ms', min: 1 };

/** What operators look at a server with. */
const observabilityKeys: readonly Option[] = [
  option('admin.enableServer', 'boolean', true, 'AdminServer; off by default where no configuration file is read'),
  option('admin.serverAddress', 'string', '0.0.0.0', 'address of the AdminServer'),
  option('admin.serverPort', 'int', 8080, 'port of the AdminServer; in use, the server starts without it', port),
  option('admin.commandURL', 'string', '/commands', 'path of the commands'),
  option('admin.idleTimeout', 'int', 30_000, 'patience with silent connections', { unit: 'ms', min: 0 }),
  option(
    'admin.rateLimiterIntervalInMS',
    'long',
    300_000,
    'between two restores (thousandths of it between snapshots)',
    {
      unit: 'ms',
      min: 0,
    },
  ),
  option('admin.snapshot.enabled', 'boolean', true, 'the command snapshot'),
  option('admin.restore.enabled', 'boolean', true, 'the command restore'),
  option('admin.portUnification', 'boolean', false, 'TLS beside plain HTTP, by the stores of ssl.quorum.*'),
  option('admin.forceHttps', 'boolean', false, 'TLS alone; it wins over both'),
  option('admin.needClientAuth', 'boolean', false, 'who comes with TLS must show a certificate'),
  accepted('admin.httpVersion', 'int', 11, 'version of HTTP over TLS'),
  option('metricsProvider.className', 'string', DEFAULT_METRICS_PROVIDER, 'where metrics go'),
  option('metricsProvider.httpHost', 'string', '0.0.0.0', 'address of /metrics'),
  option('metricsProvider.httpPort', 'int', 7000, 'port of /metrics', port),
  option('metricsProvider.exportJvmInfo', 'boolean', true, 'figures of the process too'),
  accepted('metricsProvider.numWorkerThreads', 'int', 1, 'threads'),
  accepted('metricsProvider.maxQueueSize', 'int', 1_000_000, 'threads'),
  accepted('metricsProvider.workerShutdownTimeoutMs', 'long', 1000, 'threads'),
  option('jvm.pause.monitor', 'boolean', false, 'measures when the process stood still'),
  option('jvm.pause.sleep.time.ms', 'int', 500, 'time between two looks', ms),
  option('jvm.pause.warn-threshold.ms', 'int', 10_000, 'a warning from here on', ms),
  option('jvm.pause.info-threshold.ms', 'int', 1000, 'a line from here on', ms),
  option('audit.enable', 'boolean', false, 'audit log'),
  option('audit.impl.class', 'string', 'org.apache.zookeeper.audit.Slf4jAuditLogger', 'where audit lines go'),
];

/** Keys that QuorumPeerConfig parses itself. */
const parsedKeys: readonly Option[] = [
  option('dataDir', 'path', null, 'directory of snapshots and of the myid file'),
  option('dataLogDir', 'path', null, 'directory of the transaction logs, dataDir by default'),
  option('clientPort', 'int', null, 'port for clients; 0 takes a free one', port),
  option('clientPortAddress', 'string', null, 'address to listen on, every interface by default; needs clientPort'),
  option('secureClientPort', 'int', null, 'port for TLS clients', port),
  option('secureClientPortAddress', 'string', null, 'address for TLS clients; needs secureClientPort'),
  accepted('clientPortListenBacklog', 'int', -1, 'listen backlog, -1 leaves it to the system'),
  option('tickTime', 'int', 3000, 'basic unit of time', { unit: 'ms', min: 1 }),
  option('maxClientCnxns', 'int', 60, 'connections from one address, below 1 for any number'),
  option('minSessionTimeout', 'int', -1, 'lowest session timeout granted, -1 for 2 ticks', { unit: 'ms', min: -1 }),
  option('maxSessionTimeout', 'int', -1, 'highest session timeout granted, -1 for 20 ticks', { unit: 'ms', min: -1 }),
  option('autopurge.snapRetainCount', 'int', 3, 'snapshots to keep; below 3 means 3'),
  option('autopurge.purgeInterval', 'int', 0, 'time between purges, below 1 is off', { unit: 'hours' }),
];

/** Keys that Apache turns into system properties `zookeeper.<key>`. */
const propertyKeys: readonly Option[] = [
  option('globalOutstandingLimit', 'int', 1000, 'requests in progress above which sockets are not read'),
  option('preAllocSize', 'int', 65_536, 'growth of a transaction log, 0 is off', { unit: 'KiB' }),
  option('snapCount', 'int', 100_000, 'transactions between snapshots; below 2 means 2'),
  option('snapSizeLimitInKb', 'long', 4_194_304, 'log bytes between snapshots, 0 is off', { unit: 'KiB' }),
  option('txnLogSizeLimitInKb', 'long', -1, 'size at which a log is rolled, -1 is off', { unit: 'KiB' }),
  option('commitLogCount', 'int', 500, 'committed proposals kept in memory'),
  option('maxCnxns', 'int', 0, 'client connections in all, below 1 for any number'),
  accepted('maxResponseCacheSize', 'int', 400, 'cache of serialized answers'),
  accepted('maxGetChildrenResponseCacheSize', 'int', 400, 'cache of serialized answers'),
  option('flushDelay', 'long', 0, 'time to gather transactions for one sync, below 1 is off', { unit: 'ms' }),
  accepted('maxWriteQueuePollTime', 'long', null, 'time to wait for more transactions'),
  option('maxBatchSize', 'int', 1000, 'transactions that are synced without waiting for more, below 1 for none'),
  option('enforceQuota', 'boolean', false, 'quotas refuse what exceeds them'),
  option('forceSync', 'yes-no', 'yes', 'sync the log before acknowledging'),
  option('skipACL', 'yes-no', 'no', 'no access control'),
  option('extendedTypesEnabled', 'boolean', false, 'TTL nodes'),
  option('4lw.commands.whitelist', 'list', 'srvr', 'four-letter words that are answered, * for all'),
  option('nio.sessionlessCnxnTimeout', 'int', 10_000, 'patience with connections without a session', {
    unit: 'ms',
    min: 1,
  }),
  accepted('nio.numSelectorThreads', 'int', null, 'threads'),
  accepted('nio.numWorkerThreads', 'int', null, 'threads'),
  accepted('nio.directBufferBytes', 'int', 65_536, 'native buffers'),
  option(
    'snapshotSizeFactor',
    'double',
    0.33,
    'part of a snapshot up to which a learner gets transactions of the log instead',
  ),
  accepted('watchManagerName', 'string', null, 'class of the watch manager'),
  option('digest.enabled', 'boolean', true, 'digests of the tree in logs and snapshots'),
  option('closeSessionTxn.enabled', 'boolean', true, 'the end of a session lists its ephemeral nodes'),
  option('serializeLastProcessedZxid.enabled', 'boolean', true, 'snapshots end with their zxid'),
  option('snapshot.trust.empty', 'boolean', false, 'logs without any snapshot are replayed'),
  option('snapshot.compression.method', 'string', '', 'gz, snappy or none'),
  option('datadir.autocreate', 'boolean', true, 'missing directories are created'),
  option('db.autocreate', 'boolean', true, 'an empty directory is an empty tree'),
  option('fsync.warningthresholdms', 'long', 1000, 'time after which a sync is called slow', { unit: 'ms', min: 0 }),
  accepted('serverCnxnFactory', 'string', null, 'class of the network layer'),
];

/** Plain Java system properties: Apache reads them from `-D` flags alone, never from zoo.cfg. */
const systemProperties: readonly Option[] = [
  option('jute.maxbuffer', 'int', 1_048_575, 'largest request', { unit: 'bytes', min: 0 }),
  option('zookeeper.jute.maxbuffer.extrasize', 'int', null, 'added to jute.maxbuffer for a field', { unit: 'bytes' }),
  option('zookeeper.log.file', 'string', null, 'name of the log file, without which the log goes to the console'),
  option('zookeeper.log.dir', 'string', '.', 'directory of the log file'),
  option('zookeeper.log.threshold', 'string', 'INFO', 'least level in the log file'),
  option('zookeeper.log.maxfilesize', 'string', '256MB', 'size at which the log file is rotated'),
  option('zookeeper.log.maxbackupindex', 'int', 20, 'rotated log files that are kept', { min: 1 }),
  option('zookeeper.auditlog.file', 'string', null, 'name of the audit log, which is part of the log without'),
  option('zookeeper.auditlog.threshold', 'string', 'INFO', 'least level in the audit log'),
  option('zookeeper.console.threshold', 'string', 'INFO', 'least level on the console'),
  option('znode.container.checkIntervalMs', 'int', 60_000, 'time between searches for empty containers', {
    unit: 'ms',
    min: 1,
  }),
  option('znode.container.maxPerMinute', 'int', 10_000, 'containers removed a minute', { min: 1 }),
  option('znode.container.maxNeverUsedIntervalMs', 'long', 0, 'age of a container never used, 0 is off', {
    unit: 'ms',
    min: 0,
  }),
];

const allPropertyKeys = [
  ...propertyKeys,
  ...quorumPropertyKeys,
  ...observabilityKeys,
  ...tlsOptions,
  ...quorumSecurityPropertyKeys,
  ...authOptions,
  ...limitKeys,
  ...keysWithoutCounterpart,
];
export const zooCfgOptions = tableOf([...parsedKeys, ...quorumParsedKeys, ...quorumSecurityKeys, ...allPropertyKeys]);
/** Those that Apache turns into system properties. */
export const propertyNames: ReadonlySet<string> = new Set(
  allPropertyKeys.map(({ name }) => name).filter((name) => !/^(metricsProvider|jvm)\./.test(name)),
);
export const zookeeperSystemProperties = tableOf([
  ...systemProperties,
  ...quorumSystemProperties,
  ...authSystemProperties,
]);
