import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import type { SystemProperties } from '../../config/system-properties.ts';
import { Simulation } from '../../testing/index.ts';
import { ALLOWED_URLS_PROPERTY } from '../security/oauth/oauth-keys.ts';
import { BrokerSecurity } from './broker-security.ts';
import { KafkaConfig } from './config/kafka-config.ts';

type Keys = Readonly<Record<string, string>>;

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const folder = join(import.meta.dirname, '../../../test/golden/tls');
const saslListener = {
  listeners: 'PLAINTEXT://localhost:9092,SASL_PLAINTEXT://localhost:9093',
  'sasl.enabled.mechanisms': 'PLAIN',
};
const tlsListener = { listeners: 'PLAINTEXT://localhost:9092,SSL://localhost:9093' };

/** On a machine that has the golden stores in its root, and a JAAS file. */
function security(
  keys: Keys,
  systemProperties: SystemProperties = {},
  { runtime } = new Simulation({ seed: 1 }).machine('broker'),
): BrokerSecurity {
  for (const name of ['server.jks', 'server.p12', 'server.pem', 'server.encrypted.pem', 'trust.jks', 'trust.p12']) {
    runtime.disk.writeFile(`/${name}`, readFileSync(join(folder, name)));
  }
  runtime.disk.writeFile('/jaas.conf', Buffer.from(`KafkaServer { ${PLAIN} required user_a="1"; };`));
  const config = new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...keys })));
  return new BrokerSecurity({ runtime, config, systemProperties });
}

test('the JAAS file that a system property names has the users of a listener', () => {
  security(saslListener, { 'java.security.auth.login.config': '/jaas.conf' });
  assert.throws(() => security(saslListener), /Could not find a 'KafkaServer' or 'sasl_plaintext\.KafkaServer' entry/);
  const missing = { 'java.security.auth.login.config': '/nothing.conf' };
  assert.throws(() => security(saslListener, missing), /nothing\.conf is refused: the file cannot be read \(ENOENT\)/);
});

const password = { 'ssl.keystore.password': 'password' };
const pem = readFileSync(join(folder, 'server.pem'), 'latin1');
const [key = ''] = /-+BEGIN PRIVATE KEY-+[^-]+-+END PRIVATE KEY-+/.exec(pem) ?? [];
const stores: readonly { readonly name: string; readonly keys: Keys }[] = [
  { name: 'JKS', keys: { 'ssl.keystore.location': '/server.jks', ...password, 'ssl.key.password': 'password' } },
  {
    name: 'PKCS12',
    keys: { 'ssl.keystore.location': '/server.p12', 'ssl.keystore.type': 'PKCS12', ...password },
  },
  {
    name: 'PKCS12 under the name of JKS, as Java takes it',
    keys: { 'ssl.keystore.location': '/server.p12', ...password },
  },
  { name: 'PEM', keys: { 'ssl.keystore.location': '/server.pem', 'ssl.keystore.type': 'PEM' } },
  {
    name: 'PEM whose key is encrypted',
    keys: {
      'ssl.keystore.location': '/server.encrypted.pem',
      'ssl.keystore.type': 'PEM',
      'ssl.key.password': 'password',
    },
  },
  {
    name: 'PEM in values',
    keys: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.key': key.replaceAll('\n', ' '),
      'ssl.keystore.certificate.chain': pem.replace(key, ''),
    },
  },
];
const listener = {
  listenerName: 'SSL',
  securityProtocol: 'SSL',
  host: 'localhost',
  port: 9093,
} as const;
for (const { name, keys } of stores) {
  test(`a listener has its key from ${name}`, () => {
    const { identity } = security({ ...tlsListener, ...keys }).of(listener).tls?.material ?? {};
    const der = Buffer.from(key.replaceAll(/-+[A-Z ]+-+|\s/g, ''), 'base64');
    assert.ok(identity !== undefined && der.equals(identity.privateKey));
    assert.equal(identity.certificates.length, 1);
  });
}

test('trust is from a store, or nobody is trusted but whom the system trusts', () => {
  const keys = { ...tlsListener, 'ssl.keystore.location': '/server.jks', ...password };
  const trusted = (more: Keys) => security({ ...keys, ...more }).of(listener).tls?.material.trusted;
  assert.equal(trusted({ 'ssl.truststore.location': '/trust.jks' })?.length, 2);
  assert.equal(trusted({ 'ssl.truststore.location': '/trust.p12', 'ssl.truststore.password': 'password' })?.length, 2);
  assert.equal(trusted({}), undefined);
});

const refusals: readonly { readonly keys: Keys; readonly want: RegExp }[] = [
  { keys: {}, want: /ssl\.keystore\.location is missing/ },
  { keys: { 'ssl.keystore.location': '/nothing.jks', ...password }, want: /ENOENT/ },
  { keys: { 'ssl.keystore.location': '/server.jks' }, want: /key store password is not specified/ },
  { keys: password, want: /SSL key store is not specified, but key store password is specified/ },
  {
    keys: { 'ssl.keystore.location': '/server.jks', 'ssl.keystore.password': 'wrong' },
    want: /ssl\.keystore\.location=\/server\.jks is refused: .*password is wrong/,
  },
  {
    keys: { 'ssl.keystore.location': '/server.jks', ...password, 'ssl.key.password': 'wrong' },
    want: /its key cannot be decrypted/,
  },
  { keys: { 'ssl.keystore.key': key }, want: /can be specified only for PEM, but key store type is JKS/ },
  {
    keys: { 'ssl.keystore.key': key, 'ssl.keystore.type': 'PEM' },
    want: /SSL private key is specified, but certificate chain is not specified/,
  },
  { keys: { 'ssl.keystore.type': 'BKS' }, want: /choose JKS, PKCS12 or PEM/ },
];
for (const { keys, want } of refusals) {
  test(`a listener with ${Object.keys(keys).join(' and ') || 'nothing'}: ${want}`, () => {
    assert.throws(
      () => security({ ...tlsListener, ...keys }),
      (error: unknown) => error instanceof ConfigError && want.test(error.message) && !error.message.includes('BEGIN'),
    );
  });
}

test('a file that was exchanged is not shown when its certificate is for another name, however often it is read', () => {
  const machine = new Simulation({ seed: 1 }).machine('broker');
  const exchange = (name: string) => machine.runtime.disk.writeFile('/server.pem', readFileSync(join(folder, name)));
  const keys = { ...tlsListener, 'ssl.keystore.location': '/server.pem', 'ssl.keystore.type': 'PEM' };
  const made = security(keys, {}, machine);
  const opened = made.of(listener).tls?.material.identity;
  exchange('client.pem');
  for (let turn = 0; turn < 2; turn += 1) {
    assert.throws(
      () => made.renewedMaterial(listener),
      /Keystore DistinguishedName does not match: .*CN=server.*CN=client/,
    );
  }
  exchange('server.pem');
  assert.deepEqual(made.renewedMaterial(listener)?.identity, opened);
});

test('no keys of an issuer are read from a URL that is not allowed, where some are', () => {
  const key = 'listener.name.sasl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url';
  const allowing = (urls: string) => security({ [key]: 'http://a/b' }, { [ALLOWED_URLS_PROPERTY]: urls });
  allowing('http://c,http://a/b');
  assert.throws(() => allowing(''), /jwks\.endpoint\.url=http:\/\/a\/b is refused/);
});
