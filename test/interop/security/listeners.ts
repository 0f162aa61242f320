/** One broker of ours with a listener of every kind, and the properties by which clients come to each. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zooCfg } from '../../../src/config/zoo-cfg.ts';
import { KafkaConfig } from '../../../src/kafka/broker/config/kafka-config.ts';
import { startKafka } from '../../../src/kafka/broker/kafka-broker.ts';
import { silent } from '../../../src/runtime/log.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { startZookeeper } from '../../../src/zookeeper/ensemble/start-zookeeper.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { jwksFile, OAUTH_MODULE, SECURED_VALIDATOR } from './oauth-tokens.ts';

export const stores = fileURLToPath(new URL('../../golden/tls/', import.meta.url));
export const PLAIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule';
export const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule';

/** Names and protocols; MUTUAL demands a certificate. */
const protocols = {
  PLAINTEXT: 'PLAINTEXT',
  SSL: 'SSL',
  MUTUAL: 'SSL',
  SASL_PLAINTEXT: 'SASL_PLAINTEXT',
  SASL_SSL: 'SASL_SSL',
} as const;
export type ListenerName = keyof typeof protocols;

type Keys = Readonly<Record<string, string>>;

/** Of our broker. */
const securityKeys: Keys = {
  'listener.security.protocol.map': Object.entries(protocols)
    .map(([name, protocol]) => `${name}:${protocol}`)
    .join(),
  'ssl.keystore.location': `${stores}server.jks`,
  'ssl.keystore.password': 'password',
  'ssl.key.password': 'password',
  'ssl.truststore.location': `${stores}trust.p12`,
  'ssl.truststore.type': 'PKCS12',
  'ssl.truststore.password': 'password',
  'listener.name.mutual.ssl.client.auth': 'required',
  'ssl.principal.mapping.rules': 'RULE:^CN=(.*?),O=odradek$/$1/,DEFAULT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
  // Tokens without a signature, and over TLS those of an issuer.
  'listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class': SECURED_VALIDATOR,
  'listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url': jwksFile(),
  'listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.audience': 'kafka',
  ...Object.fromEntries(
    ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) => [
      [
        `listener.name.${listener}.plain.sasl.jaas.config`,
        `${PLAIN_MODULE} required user_alice="alice-secret" user_bob="bob-secret";`,
      ],
      [`listener.name.${listener}.oauthbearer.sasl.jaas.config`, `${OAUTH_MODULE} required;`],
      ...['scram-sha-256', 'scram-sha-512'].map((mechanism) => [
        `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
        `${SCRAM_MODULE} required;`,
      ]),
    ]),
  ),
};

export const trust: Keys = {
  'ssl.truststore.location': `${stores}trust.jks`,
  'ssl.truststore.password': 'password',
};

export const clientKeys: Keys = {
  ...trust,
  'ssl.keystore.location': `${stores}client.p12`,
  'ssl.keystore.type': 'PKCS12',
  'ssl.keystore.password': 'password',
};

export function sasl(mechanism: string, username: string, password: string): Keys {
  const module = mechanism === 'PLAIN' ? PLAIN_MODULE : SCRAM_MODULE;
  return {
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${module} required username="${username}" password="${password}";`,
  };
}

/** A login by tokens without a signature. */
export function oauth(subject: string, more = ''): Keys {
  const options = subject === '' ? more : `unsecuredLoginStringClaim_sub="${subject}" ${more}`;
  return { 'sasl.mechanism': 'OAUTHBEARER', 'sasl.jaas.config': `${OAUTH_MODULE} required ${options};` };
}

/** A file of properties for a tool. */
export function propertiesFile(listener: ListenerName, keys: Keys): string {
  const path = join(tempDir(), 'client.properties');
  const all = { 'security.protocol': protocols[listener], ...keys };
  writeFileSync(
    path,
    Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  return path;
}

export interface SecureBroker {
  at(listener: ListenerName): string;
}

export async function startSecureBroker(t: Pick<TestContext, 'after'>, keys: Keys = {}): Promise<SecureBroker> {
  const runtime = nodeRuntime({ log: silent });
  const dir = tempDir();
  const zookeeper = await startZookeeper(
    runtime,
    zooCfg({ dataDir: join(dir, 'zookeeper'), clientPort: 0, clientPortAddress: '127.0.0.1' }),
  );
  const listeners = Object.keys(protocols).map((name) => `${name}://localhost:0`);
  const given = {
    'broker.id': '0',
    'log.dirs': join(dir, 'kafka'),
    listeners: listeners.join(),
    'zookeeper.connect': `127.0.0.1:${zookeeper.clientAddress.port}`,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    ...securityKeys,
    ...keys,
  };
  const broker = await startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))));
  t.after(async () => {
    await broker.close();
    await zookeeper.close();
  });
  return {
    at(listener) {
      const found = broker.endpoints.find(({ listenerName }) => listenerName === listener);
      return `localhost:${found?.port}`;
    },
  };
}
