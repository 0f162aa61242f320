/** Reviewed notes on configuration keys: what the tables in the code cannot say by `honoured` or `accepted` alone. */
import type { KeyNotes } from './tables.ts';

const noCache = 'an answer is written straight from the tree, which costs less than to look it up';

export const zooCfgNotes: KeyNotes = {
  withoutEffect: {
    electionAlg: 'checked: there is one algorithm, 3',
    peerType: 'compared with the line of the server, which decides',
    'observerMaster.sizeLimit':
      'a follower keeps nothing for observers: what it has committed and not yet applied goes out behind what its database holds',
    maxResponseCacheSize: noCache,
    maxGetChildrenResponseCacheSize: noCache,
    'request_throttler.shutdownTimeout': 'what waits when the server stops is dropped at once: nothing of it was begun',
    clientTcpKeepAlive: 'connections of clients are kept alive in any case',
    enableEagerACLCheck: 'who may not write hears it from the leader, after a round trip more, and the same NoAuth',
    clientPortListenBacklog: '`conf` shows it; the backlog is the system’s',
  },
  refused: {
    'metricsProvider.className': 'anything but Apache’s three: default, null and Prometheus',
    'audit.impl.class': 'anything but Slf4jAuditLogger',
    emulate353TTLNodes: 'TTL nodes in the form of 3.5.3 are not read, when `true`',
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

export const brokerKeyNotes: KeyNotes = {
  withoutEffect: {
    'offsets.commit.timeout.ms': 'a commit waits for this broker’s own log alone',
    'fetch.purgatory.purge.interval.requests': 'completed operations leave the purgatory at once',
    'producer.purgatory.purge.interval.requests': 'completed operations leave the purgatory at once',
  },
  refused: {
    'inter.broker.protocol.version': 'anything but 3.9',
    'authorizer.class.name':
      'anything but Apache’s AclAuthorizer (SimpleAclAuthorizer in 2.1): there are no classes of Java',
    'sasl.enabled.mechanisms': 'GSSAPI, where a listener has SASL',
    'sasl.login.callback.handler.class': 'anything but Apache’s own for OAUTHBEARER: there are no classes of Java',
    'sasl.server.callback.handler.class':
      'anything but Apache’s own for OAUTHBEARER, and that without the name of listener and mechanism before it',
    'ssl.enabled.protocols': 'anything but TLSv1.2 and TLSv1.3',
    'ssl.engine.factory.class': 'there are no classes of Java',
    'ssl.provider': 'there are no classes of Java',
  },
};
