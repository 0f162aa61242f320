import { type ClientTlsOptions, clientTlsOptions } from '../../config/client-tls.ts';
import { tlsSettings } from '../../config/tls-settings.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

/** ZooKeeper's key after `zookeeper.ssl.`, by Kafka's (KafkaConfig.ZkSslConfigToSystemPropertyMap). */
const kafkaKeys: Readonly<Record<string, string>> = {
  'keyStore.location': 'keystore.location',
  'keyStore.password': 'keystore.password',
  'keyStore.type': 'keystore.type',
  'trustStore.location': 'truststore.location',
  'trustStore.password': 'truststore.password',
  'trustStore.type': 'truststore.type',
  protocol: 'protocol',
  enabledProtocols: 'enabled.protocols',
  ciphersuites: 'cipher.suites',
  crl: 'crl.enable',
  ocsp: 'ocsp.enable',
};
const PREFIX = 'zookeeper.ssl.';

/** How the broker speaks to ZooKeeper; undefined in plain. @throws ConfigError */
export function zookeeperTls(config: KafkaConfig): ClientTlsOptions | undefined {
  if (config.optional('zookeeper.ssl.client.enable') !== 'true') return undefined;
  const settings = tlsSettings((key) => {
    const name = key.slice(PREFIX.length);
    if (name === 'hostnameVerification') return String(verifiesHostname(config));
    const kafkaKey = kafkaKeys[name];
    return (kafkaKey === undefined ? null : config.optional(`${PREFIX}${kafkaKey}`)) ?? undefined;
  }, PREFIX);
  return clientTlsOptions(settings);
}

/** `HTTPS`, or anything else for no. */
function verifiesHostname(config: KafkaConfig): boolean {
  return config.optional('zookeeper.ssl.endpoint.identification.algorithm')?.toUpperCase() === 'HTTPS';
}
