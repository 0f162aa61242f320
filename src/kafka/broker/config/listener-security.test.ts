import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { parseJaas } from '../../../config/jaas.ts';
import { KafkaConfig } from './kafka-config.ts';
import type { SecurityProtocol } from './listener-endpoints.ts';
import {
  listenerKeys,
  loginModulesOf,
  maxReauthMsOf,
  mechanismsOf,
  plainUsersOf,
  tlsParametersOf,
} from './listener-security.ts';

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';

type Keys = Readonly<Record<string, string>>;
const texts = (keys: Keys) => new Map(Object.entries(keys));
const lan = (securityProtocol: SecurityProtocol = 'SASL_SSL') => ({ listenerName: 'LAN', securityProtocol });

test("a listener's own key counts before that of all, and that before the default", () => {
  const get = (keys: Keys) => listenerKeys(texts(keys), 'LAN')('ssl.keystore.type');
  assert.equal(get({}), 'JKS');
  assert.equal(get({ 'ssl.keystore.type': 'PEM' }), 'PEM');
  assert.equal(get({ 'ssl.keystore.type': 'PEM', 'listener.name.lan.ssl.keystore.type': 'PKCS12' }), 'PKCS12');
  assert.equal(get({ 'listener.name.wan.ssl.keystore.type': 'PKCS12' }), 'JKS');
});

test('certificates of clients with SASL are asked for by the key of the listener alone', () => {
  const asked = (protocol: SecurityProtocol, keys: Keys) =>
    tlsParametersOf(texts(keys), lan(protocol)).clientAuthentication;
  const all = { 'ssl.client.auth': 'required' };
  assert.equal(asked('SSL', {}), 'none');
  assert.equal(asked('SSL', all), 'need');
  assert.equal(asked('SASL_SSL', all), 'none');
  assert.equal(asked('SASL_SSL', { 'listener.name.lan.ssl.client.auth': 'Requested' }), 'want');
  assert.throws(() => asked('SSL', { 'ssl.client.auth': 'maybe' }), ConfigError);
});

test('protocols and suites are those that are listed, or what the protocol implies', () => {
  const found = (keys: Keys) => tlsParametersOf(texts(keys), lan('SSL'));
  assert.deepEqual(found({}).protocols, ['TLSv1.2', 'TLSv1.3']);
  assert.equal(found({}).cipherSuites, undefined);
  assert.deepEqual(found({ 'ssl.enabled.protocols': 'TLSv1.3' }).protocols, ['TLSv1.3']);
  assert.deepEqual(found({ 'ssl.enabled.protocols': '', 'ssl.protocol': 'TLSv1.2' }).protocols, ['TLSv1.2']);
  assert.deepEqual(found({ 'ssl.cipher.suites': 'TLS_AES_128_GCM_SHA256' }).cipherSuites, ['TLS_AES_128_GCM_SHA256']);
  const wrongs: readonly Keys[] = [
    { 'ssl.enabled.protocols': 'TLSv1.1' },
    { 'ssl.cipher.suites': 'NO_SUCH' },
    { 'ssl.engine.factory.class': 'com.example.Engine' },
    { 'ssl.provider': 'Conscrypt' },
  ];
  for (const wrong of wrongs) assert.throws(() => found(wrong), ConfigError, JSON.stringify(wrong));
});

test('a mechanism may have its own end of sessions', () => {
  const keys = {
    'connections.max.reauth.ms': '1',
    'listener.name.lan.connections.max.reauth.ms': '2',
    'listener.name.lan.plain.connections.max.reauth.ms': '3',
  };
  assert.equal(maxReauthMsOf(texts(keys), lan(), 'PLAIN'), 3);
  assert.equal(maxReauthMsOf(texts(keys), lan(), 'SCRAM-SHA-256'), 2);
  assert.equal(maxReauthMsOf(texts(keys), { ...lan(), listenerName: 'WAN' }, 'PLAIN'), 1);
});

test('mechanisms are told in the order in which Apache 3.9.1 tells them', () => {
  const keys = { 'sasl.enabled.mechanisms': 'SCRAM-SHA-256, PLAIN,SCRAM-SHA-512,PLAIN' };
  assert.deepEqual(mechanismsOf(texts(keys), lan()), ['PLAIN', 'SCRAM-SHA-512', 'SCRAM-SHA-256']);
});

test('users are of the key of listener and mechanism, else of the section of the listener, else of KafkaServer', () => {
  const users = (keys: Keys, file: string) =>
    Object.fromEntries(
      plainUsersOf(
        loginModulesOf(texts(keys), lan(), { mechanism: 'PLAIN', jaas: parseJaas(file, { file: 'jaas.conf' }) }),
      ),
    );
  const all = `KafkaServer { ${PLAIN} required user_a="1"; ${SCRAM} required; };`;
  const own = `lan.KafkaServer { ${PLAIN} required user_b="2"; };`;
  assert.deepEqual(users({}, all), { a: '1' });
  assert.deepEqual(users({}, all + own), { b: '2' });
  const key = 'listener.name.lan.plain.sasl.jaas.config';
  assert.deepEqual(users({ [key]: `${PLAIN} required user_c="3" user_d="4";` }, all + own), { c: '3', d: '4' });
  assert.deepEqual(users({ 'sasl.jaas.config': `${PLAIN} required user_c="3";` }, all), { a: '1' }, 'as in Apache');
  assert.throws(() => users({}, ''), /Could not find a 'KafkaServer' or 'lan.KafkaServer' entry/);
  assert.throws(() => users({ [key]: '' }, all), /does not contain any login modules/);
  assert.throws(() => users({ [key]: `${PLAIN} required; ${SCRAM} required;` }, all), /contains 2 login modules/);
  assert.throws(() => users({ [key]: 'com.example.Module required;' }, all), /com\.example\.Module is not supported/);
  assert.throws(
    () => users({ [key]: `${PLAIN} required user_x="hidden" oops;` }, all),
    (error: Error) => !error.message.includes('hidden"'),
  );
});

const refusals: readonly { readonly name: string; readonly keys: Keys; readonly key: string }[] = [
  { name: 'a mechanism that is not there', keys: { 'sasl.enabled.mechanisms': 'PLAIN,GSSAPI' }, key: 'listeners' },
  ...[
    [
      'a class of Java that judges passwords',
      'listener.name.sasl_ssl.plain.sasl.server.callback.handler.class',
      'PLAIN',
    ],
    ['one that judges tokens', 'listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class', 'OAUTHBEARER'],
    // Tokens without a signature would be believed.
    ['a class that Apache would not look at', 'sasl.server.callback.handler.class', 'OAUTHBEARER'],
  ].map(([name = '', key = '', mechanism = '']) => ({
    name,
    keys: { 'sasl.enabled.mechanisms': `PLAIN,${mechanism}`, [key]: 'com.example.Handler' },
    key: 'listeners',
  })),
  { name: 'no mechanism', keys: { 'sasl.enabled.mechanisms': '' }, key: 'listeners' },
  { name: 'TLS of old', keys: { 'ssl.enabled.protocols': 'TLSv1' }, key: 'listeners' },
  {
    name: 'brokers that speak by a mechanism that their listener has not',
    keys: { 'sasl.enabled.mechanisms': 'PLAIN', 'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-256' },
    key: 'sasl.mechanism.inter.broker.protocol',
  },
  {
    name: 'an answer later than the end of an idle connection',
    keys: { 'connections.max.idle.ms': '100', 'connection.failed.authentication.delay.ms': '100' },
    key: 'connection.failed.authentication.delay.ms',
  },
];
const secure = {
  'zookeeper.connect': 'localhost:2181',
  listeners: 'SASL_SSL://localhost:9093',
  'security.inter.broker.protocol': 'SASL_SSL',
  'sasl.enabled.mechanisms': 'PLAIN',
  'sasl.mechanism.inter.broker.protocol': 'PLAIN',
};
for (const { name, keys, key } of refusals) {
  test(`${name}: the broker does not start`, () => {
    assert.throws(
      () => new KafkaConfig(texts({ ...secure, ...keys })),
      (error: unknown) => error instanceof ConfigError && error.key === key,
    );
  });
}

test('a listener with SASL and TLS is taken, and a password without its mechanism warned of, but not told', () => {
  const warnings = new KafkaConfig(texts({ ...secure, 'sasl.jaas.config': 'secret' })).warnings.join();
  assert.match(warnings, /sasl\.jaas\.config should be prefixed with SASL mechanism name, ignoring config/);
  assert.doesNotMatch(warnings, /sasl\.enabled\.mechanisms|secret/);
});
