import { readFileSync } from 'node:fs';
import { parseProperties } from '../../config/properties.ts';
import type { SystemProperties } from '../../config/zoo-cfg.ts';
import { CliError } from './command-line.ts';

/** ZooKeeper's system property by the key of Kafka's brokers. */
const properties: Readonly<Record<string, string>> = {
  'zookeeper.ssl.client.enable': 'zookeeper.client.secure',
  'zookeeper.ssl.keystore.location': 'zookeeper.ssl.keyStore.location',
  'zookeeper.ssl.keystore.password': 'zookeeper.ssl.keyStore.password',
  'zookeeper.ssl.keystore.type': 'zookeeper.ssl.keyStore.type',
  'zookeeper.ssl.truststore.location': 'zookeeper.ssl.trustStore.location',
  'zookeeper.ssl.truststore.password': 'zookeeper.ssl.trustStore.password',
  'zookeeper.ssl.truststore.type': 'zookeeper.ssl.trustStore.type',
  'zookeeper.ssl.protocol': 'zookeeper.ssl.protocol',
  'zookeeper.ssl.enabled.protocols': 'zookeeper.ssl.enabledProtocols',
  'zookeeper.ssl.cipher.suites': 'zookeeper.ssl.ciphersuites',
  'zookeeper.ssl.crl.enable': 'zookeeper.ssl.crl',
  'zookeeper.ssl.ocsp.enable': 'zookeeper.ssl.ocsp',
};
const ENDPOINT_IDENTIFICATION = 'zookeeper.ssl.endpoint.identification.algorithm';

/**
 * `-zk-tls-config-file` of Kafka's tools: a file with a broker's keys, of which those count that say how to speak to ZooKeeper; they
 * win over flags.
 * @throws CliError when it cannot be read
 */
export function withKafkaTlsFile(flags: SystemProperties, path: string): SystemProperties {
  const found: Record<string, string> = {};
  for (const [key, value] of parseProperties(contentOf(path))) {
    const property = properties[key];
    if (property !== undefined) found[property] = value;
    else if (key === ENDPOINT_IDENTIFICATION) {
      found['zookeeper.ssl.hostnameVerification'] = String(value.toUpperCase() === 'HTTPS');
    }
  }
  return { ...flags, ...found };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    throw Object.assign(new CliError(`${path} cannot be read`), { cause });
  }
}
