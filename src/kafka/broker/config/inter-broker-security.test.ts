import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { type JaasConfig, parseJaas } from '../../../config/jaas.ts';
import { pemCertificates, pemIdentity } from '../../../config/keystores/pem.ts';
import { nodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { handlerClasses, OAUTHBEARER_MODULE } from '../../security/oauth/oauth-keys.ts';
import { InterBrokerKeys, type InterBrokerSecurity, interBrokerSecurityOf } from './inter-broker-security.ts';
import { KafkaConfig } from './kafka-config.ts';

const stores = join(import.meta.dirname, '../../../../test/golden/tls/');
const pem = (name: string): string => readFileSync(`${stores}${name}.pem`, 'latin1');
const runtime = nodeRuntime({ logLevel: 'off' });

const plainModule = (name: string) =>
  `org.apache.kafka.common.security.plain.PlainLoginModule required username="${name}" password="p-${name}";`;
const scramModule = (name: string) =>
  `org.apache.kafka.common.security.scram.ScramLoginModule required username="${name}" password="p-${name}";`;
const jaas = (text: string): JaasConfig => parseJaas(text, { file: 'jaas.conf' });

/** Of a broker that speaks to others as these keys say, whatever it listens with. */
function securityOf(keys: Readonly<Record<string, string>>, sections?: JaasConfig): InterBrokerSecurity {
  const given = new Map([
    ['zookeeper.connect', 'z:2181'],
    ['broker.id', '0'],
  ]);
  const config = new KafkaConfig(given);
  config.use(new Map([...given, ...Object.entries(keys)]));
  return interBrokerSecurityOf(config, config.interBrokerListenerName, runtime, sections);
}

function userOf({ sasl }: InterBrokerSecurity): string | undefined {
  return sasl?.mechanism === 'OAUTHBEARER' ? undefined : sasl?.username;
}

const ssl = {
  'ssl.keystore.location': `${stores}server.jks`,
  'ssl.keystore.password': 'password',
  'ssl.truststore.location': `${stores}trust.p12`,
  'ssl.truststore.password': 'password',
};
const inside = { 'inter.broker.listener.name': 'INSIDE' };
const mapped = (protocol: string) => ({
  ...inside,
  'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,INSIDE:${protocol}`,
});
const plain = { ...mapped('SASL_PLAINTEXT'), 'sasl.mechanism.inter.broker.protocol': 'PLAIN' };

test('in plain unless something else is said', () => {
  assert.deepEqual(securityOf({}), {});
  assert.deepEqual(securityOf(ssl), {}, 'keys are for others');
});

test('by SSL with the keys of all listeners, and a look at the name', () => {
  const { tls, sasl } = securityOf({ ...ssl, 'security.inter.broker.protocol': 'SSL' });
  assert.equal(sasl, undefined);
  const { material, serverName, verifyHostname, protocols } = tls!('other.broker');
  assert.deepEqual(
    material.identity?.certificates.map((each) => Buffer.from(each)),
    pemIdentity(pem('server'), '').certificates.map((each) => Buffer.from(each)),
  );
  assert.equal(material.trusted?.length, 2);
  assert.deepEqual([serverName, verifyHostname, protocols], ['other.broker', true, ['TLSv1.2', 'TLSv1.3']]);
});

test("a listener's own keys come before those of all", () => {
  const own = {
    'listener.name.inside.ssl.truststore.type': 'PEM',
    'listener.name.inside.ssl.truststore.location': `${stores}other-ca.pem`,
    'listener.name.inside.ssl.endpoint.identification.algorithm': '',
    'listener.name.inside.ssl.enabled.protocols': 'TLSv1.3',
  };
  const { 'ssl.truststore.password': _, ...others } = ssl;
  const { material, verifyHostname, protocols } = securityOf({ ...others, ...mapped('SSL'), ...own }).tls!('x');
  assert.deepEqual(
    material.trusted?.map((each) => Buffer.from(each)),
    pemCertificates(pem('other-ca')).map((each) => Buffer.from(each)),
  );
  assert.deepEqual([verifyHostname, protocols], [false, ['TLSv1.3']]);
});

test("the login is that of the listener's module for the mechanism", () => {
  const keys = {
    ...plain,
    'listener.name.inside.plain.sasl.jaas.config': plainModule('me'),
    'listener.name.inside.scram-sha-512.sasl.jaas.config': scramModule('other'),
    'listener.name.plaintext.plain.sasl.jaas.config': plainModule('elsewhere'),
  };
  assert.deepEqual(securityOf(keys, jaas(`KafkaServer { ${plainModule('file')} };`)).sasl, {
    mechanism: 'PLAIN',
    username: 'me',
    password: 'p-me',
  });
  const scram = { ...keys, 'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512' };
  assert.equal(userOf(securityOf(scram)), 'other');
});

test("else of the JAAS file: the listener's section, then that of all", () => {
  const all = `KafkaServer { ${scramModule('all')} ${plainModule('second')} };`;
  assert.equal(userOf(securityOf(plain, jaas(`${all} inside.KafkaServer { ${plainModule('own')} };`))), 'own');
  assert.equal(userOf(securityOf(plain, jaas(all))), 'all', 'the first module that has a name gives it');
});

test('keys are read once, and again when something was configured', () => {
  const given = new Map([...Object.entries({ 'zookeeper.connect': 'z:2181', 'broker.id': '0' })]);
  const config = new KafkaConfig(given);
  config.use(new Map([...given, ...Object.entries(mapped('PLAINTEXT'))]));
  const keys = new InterBrokerKeys(config, 'INSIDE', runtime);
  config.use(new Map([...given, ...Object.entries({ ...ssl, ...mapped('SSL') })]));
  assert.equal(keys.current.tls, undefined);
  keys.changed();
  assert.notEqual(keys.current.tls, undefined);
  assert.equal(keys.current, keys.current);
});

const sasl = { ...ssl, ...mapped('SASL_SSL') };
for (const { name, keys, fault } of [
  { name: 'no login', keys: plain, fault: /Could not find a 'KafkaServer' or 'inside\.KafkaServer' entry/ },
  {
    name: 'a key without listener',
    keys: { ...plain, 'sasl.jaas.config': plainModule('me') },
    fault: /Could not find/,
  },
  {
    name: 'Kerberos, the default',
    keys: sasl,
    fault: /sasl\.mechanism\.inter\.broker\.protocol=GSSAPI is refused: .* choose PLAIN/,
  },
  {
    name: 'a class of Java that would log in',
    keys: {
      ...plain,
      'listener.name.inside.plain.sasl.jaas.config': plainModule('me'),
      'listener.name.inside.plain.sasl.login.callback.handler.class': 'com.example.Handler',
    },
    fault: /com\.example\.Handler is refused: there are no classes of Java/,
  },
  {
    name: 'a class for logins by tokens that Apache would not look at',
    keys: {
      ...sasl,
      'sasl.mechanism.inter.broker.protocol': 'OAUTHBEARER',
      'listener.name.inside.oauthbearer.sasl.jaas.config': `${OAUTHBEARER_MODULE} required;`,
      'sasl.login.callback.handler.class': handlerClasses.login.secured[0],
    },
    fault: /set listener\.name\.inside\.oauthbearer\.sasl\.login\.callback\.handler\.class/,
  },
  {
    name: 'OAUTHBEARER without a principal',
    keys: {
      ...sasl,
      'sasl.mechanism.inter.broker.protocol': 'OAUTHBEARER',
      'listener.name.inside.oauthbearer.sasl.jaas.config': `${OAUTHBEARER_MODULE} required;`,
    },
    fault: /No principal name in JWT claim: sub/,
  },
  {
    name: 'a module of another mechanism',
    keys: { ...plain, 'listener.name.inside.plain.sasl.jaas.config': scramModule('me') },
    fault: /PLAIN needs the login module org\.apache\.kafka\.common\.security\.plain\.PlainLoginModule/,
  },
  {
    name: 'a module without a password',
    keys: {
      ...plain,
      'listener.name.inside.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="me";',
    },
    fault: /needs username and password/,
  },
  {
    name: 'a wrong password of a key store',
    keys: { ...ssl, ...mapped('SSL'), 'ssl.keystore.password': 'hunter2' },
    fault: /ssl\.keystore\.location=.*server\.jks is refused/,
  },
  {
    name: 'another way to look at names',
    keys: { ...ssl, ...mapped('SSL'), 'ssl.endpoint.identification.algorithm': 'LDAPS' },
    fault: /choose https, or leave it empty/,
  },
]) {
  test(`refused, and no password is told: ${name}`, () => {
    assert.throws(
      () => securityOf(keys as Record<string, string>),
      (error) => error instanceof ConfigError && fault.test(error.message) && !/p-me|hunter2/.test(error.message),
    );
  });
}
