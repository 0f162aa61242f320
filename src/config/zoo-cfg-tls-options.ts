import type { Option, OptionType } from './options.ts';

function tlsOption(name: string, type: OptionType, value: string | null, description: string): Option {
  return { name, type, default: value, effect: 'honoured', description };
}

/** Keys of TLS for clients. In Apache they are system properties `zookeeper.<key>`, which zoo.cfg may set. */
export const tlsOptions: readonly Option[] = [
  tlsOption('client.portUnification', 'boolean', 'false', 'clientPort takes plain and TLS clients'),
  tlsOption('client.certReload', 'boolean', 'false', 'changed key and trust stores are read again'),
  tlsOption('ssl.keyStore.location', 'path', null, 'file of the private key and its certificates'),
  tlsOption('ssl.keyStore.password', 'string', '', 'password of the key store and its key'),
  tlsOption('ssl.keyStore.passwordPath', 'path', null, 'file that holds the password; it wins'),
  tlsOption('ssl.keyStore.type', 'string', null, 'JKS, PEM or PKCS12; by the suffix .jks, .pem or .p12'),
  tlsOption('ssl.trustStore.location', 'path', null, 'file of the authorities that are trusted; those of Node'),
  tlsOption('ssl.trustStore.password', 'string', '', 'password of the trust store'),
  tlsOption('ssl.trustStore.passwordPath', 'path', null, 'file that holds the password; it wins'),
  tlsOption('ssl.trustStore.type', 'string', null, 'JKS, PEM or PKCS12; by the suffix .jks, .pem or .p12'),
  tlsOption('ssl.clientAuth', 'string', 'need', 'need, want or none: certificates of clients'),
  tlsOption('ssl.protocol', 'string', 'TLSv1.3', 'the one protocol, unless ssl.enabledProtocols names several'),
  tlsOption('ssl.enabledProtocols', 'list', null, 'TLSv1.2, TLSv1.3 or both'),
  tlsOption('ssl.ciphersuites', 'list', null, 'cipher suites as Java spells them'),
  {
    ...tlsOption('ssl.handshakeDetectionTimeoutMillis', 'int', null, 'time for a handshake; 10 s'),
    unit: 'ms',
    min: 1,
  },
  tlsOption('ssl.hostnameVerification', 'boolean', 'true', 'names of servers, and of clients where asked for'),
  tlsOption('ssl.clientHostnameVerification', 'boolean', 'false', 'names of clients; refused when true'),
  tlsOption('ssl.crl', 'boolean', 'false', 'revocation lists; refused when true'),
  tlsOption('ssl.ocsp', 'boolean', 'false', 'revocation by OCSP; refused when true'),
  tlsOption('ssl.context.supplier.class', 'string', null, 'a class of Java; refused'),
  tlsOption('netty.server.outstandingHandshake.limit', 'int', '-1', 'handshakes at a time, 0 or less for any number'),
  { ...tlsOption('ssl.sslProvider', 'string', 'JDK', 'TLS library of the JVM'), effect: 'accepted' },
  {
    ...tlsOption('netty.server.earlyDropSecureConnectionHandshakes', 'boolean', 'false', 'while a server starts'),
    effect: 'accepted',
  },
];
