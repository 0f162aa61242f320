/** Reviewed notes on configuration keys: what the tables in the code cannot say by `honoured` or `accepted` alone. */
import type { KeyNotes } from './tables.ts';

const ofEnsembles = 'checked; of ensembles alone, and the server is standalone';
const noCache = 'an answer is written straight from the tree, which costs less than to look it up';

export const zooCfgNotes: KeyNotes = {
  withoutEffect: {
    initLimit: ofEnsembles,
    syncLimit: ofEnsembles,
    connectToLearnerMasterLimit: ofEnsembles,
    quorumListenOnAllIPs: ofEnsembles,
    peerType: ofEnsembles,
    syncEnabled: ofEnsembles,
    leaderServes: ofEnsembles,
    observerMasterPort: ofEnsembles,
    electionAlg: ofEnsembles,
    'multiAddress.enabled': ofEnsembles,
    'multiAddress.reachabilityCheckEnabled': ofEnsembles,
    'multiAddress.reachabilityCheckTimeoutMs': ofEnsembles,
    oraclePath: ofEnsembles,
    electionPortBindRetry: ofEnsembles,
    cnxTimeout: ofEnsembles,
    quorumCnxnTimeoutMs: ofEnsembles,
    'fastleader.minNotificationInterval': ofEnsembles,
    'fastleader.maxNotificationInterval': ofEnsembles,
    tcpKeepAlive: ofEnsembles,
    'leader.maxConcurrentSnapSyncs': ofEnsembles,
    'leader.maxConcurrentDiffSyncs': ofEnsembles,
    forceSnapshotSync: ofEnsembles,
    'leader.maxTimeToWaitForEpoch': ofEnsembles,
    leaderConnectDelayDuringRetryMs: ofEnsembles,
    'observer.reconnectDelayMs': ofEnsembles,
    'observer.election.DelayMs': ofEnsembles,
    'observer.syncEnabled': ofEnsembles,
    'observerMaster.sizeLimit': ofEnsembles,
    maxResponseCacheSize: noCache,
    maxGetChildrenResponseCacheSize: noCache,
    'request_throttler.shutdownTimeout': 'what waits when the server stops is dropped at once: nothing of it was begun',
    reconfigEnabled: 'every `reconfig` is answered with ReconfigDisabled',
    clientPortListenBacklog: '`conf` shows it; the backlog is the system’s',
  },
  refused: {
    dynamicConfigFile: 'a file of members, and there are no ensembles',
    'admin.portUnification': 'no TLS, when `true`',
    'admin.forceHttps': 'no TLS, when `true`',
    'admin.needClientAuth': 'no TLS, when `true`',
    'metricsProvider.className': 'anything but Apache’s three: default, null and Prometheus',
    'audit.impl.class': 'anything but Slf4jAuditLogger',
    'ssl.crl': 'revocation is not checked, when `true`',
    'ssl.ocsp': 'revocation is not checked, when `true`',
    'ssl.quorum.crl': 'revocation is not checked, when `true`',
    'ssl.quorum.ocsp': 'revocation is not checked, when `true`',
    'ssl.clientHostnameVerification': 'names of clients are not verified, when `true`',
    'ssl.quorum.clientHostnameVerification': 'names of servers that connect are not verified, when `true`',
    'ssl.context.supplier.class': 'there are no classes of Java',
    'ssl.quorum.context.supplier.class': 'there are no classes of Java',
  },
};

const noCleaner = 'topics show it as their default, but nothing is compacted';

export const brokerKeyNotes: KeyNotes = {
  withoutEffect: {
    'log.cleaner.delete.retention.ms': noCleaner,
    'log.cleaner.max.compaction.lag.ms': noCleaner,
    'log.cleaner.min.cleanable.ratio': noCleaner,
    'log.cleaner.min.compaction.lag.ms': noCleaner,
    'offsets.commit.timeout.ms': 'a commit waits for this broker’s own log alone',
    'fetch.purgatory.purge.interval.requests': 'completed operations leave the purgatory at once',
    'producer.purgatory.purge.interval.requests': 'completed operations leave the purgatory at once',
  },
  refused: {
    'inter.broker.protocol.version': 'anything but 3.9',
    'authorizer.class.name': 'no ACLs; a broker that asks for them does not start',
    'control.plane.listener.name': 'no listener of its own for the controller',
    'listener.security.protocol.map': 'honoured for names, but every listener must map to PLAINTEXT',
  },
};
