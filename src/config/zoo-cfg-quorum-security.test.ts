import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from './config-error.ts';
import { zooCfg } from './zoo-cfg.ts';

type Keys = Readonly<Record<string, string | number | boolean>>;
const jaas = { 'java.security.auth.login.config': '/jaas.conf' };
const stores = { 'ssl.quorum.keyStore.location': '/k.jks', 'ssl.quorum.trustStore.location': '/t.p12' };
const config = (keys: Keys, properties: Readonly<Record<string, string>> = {}) =>
  zooCfg({ dataDir: '/d', ...keys }, properties);

test('servers trust each other without TLS and SASL unless they are told', () => {
  const { quorumTls, quorumSasl } = config({});
  const { isOn, portUnification, certReload } = quorumTls;
  assert.deepEqual({ isOn, portUnification, certReload }, { isOn: false, portUnification: false, certReload: false });
  assert.equal(quorumSasl, undefined);
});

test('the keys of TLS between servers are their own', () => {
  const keys = {
    sslQuorum: true,
    portUnification: true,
    sslQuorumReloadCertFiles: true,
    ...stores,
    'ssl.quorum.keyStore.password': 'secret',
    'ssl.quorum.clientAuth': 'want',
    'ssl.clientAuth': 'none',
  };
  const { quorumTls, tls, warnings } = config(keys);
  assert.deepEqual([quorumTls.isOn, quorumTls.portUnification, quorumTls.certReload], [true, true, true]);
  assert.equal(quorumTls.settings.keyStore?.password, 'secret');
  assert.equal(quorumTls.settings.keyStore?.type, 'JKS');
  assert.equal(quorumTls.settings.trustStore?.location, '/t.p12');
  assert.equal(quorumTls.settings.clientAuthentication, 'want');
  assert.equal(tls.settings.clientAuthentication, 'none');
  assert.deepEqual(warnings, []);
  const byProperty = config({ sslQuorum: true }, { 'zookeeper.ssl.quorum.keyStore.location': '/k.jks' });
  assert.equal(byProperty.quorumTls.settings.keyStore?.location, '/k.jks');
});

test('TLSv1.3 lets TLSv1.2 in between servers, as with the sockets of Java, and a list is just that', () => {
  const protocols = (keys: Keys) => config(keys).quorumTls.settings.protocols;
  assert.deepEqual(protocols({}), ['TLSv1.2', 'TLSv1.3']);
  assert.deepEqual(protocols({ 'ssl.quorum.protocol': 'TLSv1.2' }), ['TLSv1.2']);
  assert.deepEqual(protocols({ 'ssl.quorum.enabledProtocols': 'TLSv1.3' }), ['TLSv1.3']);
  assert.deepEqual(config({}).tls.settings.protocols, ['TLSv1.3']);
});

test('names of servers are verified where FIPS mode is off, or where that is asked for', () => {
  const verifies = (keys: Keys) => config(keys).quorumTls.settings.verifyHostname;
  const asked = 'ssl.quorum.hostnameVerification';
  assert.equal(verifies({}), false);
  assert.equal(verifies({ 'fips-mode': true }), false);
  assert.equal(verifies({ 'fips-mode': false }), true);
  assert.equal(verifies({ 'fips-mode': false, [asked]: false }), false);
  assert.equal(verifies({ [asked]: true }), true);
});

test('SASL between servers is read from the JAAS file', () => {
  const keys = {
    'quorum.auth.enableSasl': true,
    'quorum.auth.learnerRequireSasl': true,
    'quorum.auth.server.saslLoginContext': 'Ours',
  };
  assert.deepEqual(config(keys, jaas).quorumSasl, {
    jaasFile: '/jaas.conf',
    jaasProperties: jaas,
    serverContext: 'Ours',
    learnerContext: 'QuorumLearner',
    serverRequires: false,
    learnerRequires: true,
  });
});

const refused: readonly { readonly given: Keys; readonly says: RegExp; readonly properties?: typeof jaas }[] = [
  { given: { sslQuorum: true }, says: /ssl\.quorum\.keyStore\.location is missing/ },
  { given: { portUnification: true }, says: /ssl\.quorum\.keyStore\.location is missing/ },
  { given: { 'ssl.quorum.crl': true }, says: /ssl\.quorum\.crl=true is refused: revocation/ },
  { given: { 'ssl.quorum.keyStore.provider': 'X' }, says: /this part of TLS is not supported/ },
  {
    given: { 'fips-mode': false, 'ssl.quorum.clientHostnameVerification': true },
    says: /names of servers that connect are not verified here/,
  },
  { given: { 'quorum.auth.serverRequireSasl': true }, says: /quorum\.auth\.enableSasl must be true too/ },
  { given: { 'quorum.auth.learnerRequireSasl': true }, says: /quorum\.auth\.enableSasl must be true too/ },
  {
    given: { 'quorum.auth.enableSasl': true, 'quorum.auth.serverRequireSasl': true },
    properties: jaas,
    says: /quorum\.auth\.learnerRequireSasl must be true too/,
  },
  { given: { 'quorum.auth.enableSasl': true }, says: /java\.security\.auth\.login\.config is missing/ },
  { given: { 'quorum.auth.enableSasl': true, 'fips-mode': true }, properties: jaas, says: /fips-mode=true forbids it/ },
];
for (const { given, says, properties } of refused) {
  test(`zoo.cfg refuses ${JSON.stringify(given)} between servers`, () => {
    assert.throws(
      () => config(given, properties),
      (error) => error instanceof ConfigError && says.test(error.message),
    );
  });
}
