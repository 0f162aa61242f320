import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { ClientSecurity } from '../security/client-security.ts';
import { ALLOWED_URLS_PROPERTY, handlerClasses, OAUTHBEARER_MODULE } from '../security/oauth/oauth-keys.ts';
import { adminOptions } from './client-config.ts';
import { clientSecurityOf } from './client-security-config.ts';

const stores = join(import.meta.dirname, '../../../test/golden/tls/');
const pem = (name: string): string => readFileSync(`${stores}${name}.pem`, 'latin1');
const runtime = nodeRuntime({ logLevel: 'off' });
const plainModule =
  'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="s=c;r,et";';
const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="t" password="h"';

function securityOf(
  properties: Readonly<Record<string, string>>,
  systemProperties: Readonly<Record<string, string>> = {},
): ClientSecurity {
  return clientSecurityOf(new Map(Object.entries(properties)), { runtime, systemProperties });
}

function userOf({ sasl }: ClientSecurity): string | undefined {
  return sasl?.mechanism === 'OAUTHBEARER' ? undefined : sasl?.username;
}

const inPlain = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN' };
const jks = { 'ssl.keystore.location': `${stores}client.jks`, 'ssl.keystore.password': 'password' };
const chain = pem('client').replace(/^[\s\S]*?(?=-+BEGIN CERT)/, '');
const inline = {
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.key': pem('client')
    .replace(/-+BEGIN CERT[\s\S]*$/, '')
    .replaceAll('\n', ' '),
  'ssl.keystore.certificate.chain': chain,
};

test('in plain unless something else is said, whatever else is', () => {
  assert.deepEqual(securityOf({}), { protocol: 'PLAINTEXT' });
  assert.deepEqual(securityOf({ ...jks, 'sasl.mechanism': 'GSSAPI' }), { protocol: 'PLAINTEXT' });
});

for (const { name, given, isOurs } of [
  { name: 'JKS', given: jks, isOurs: true },
  {
    name: 'PKCS12',
    given: { ...jks, 'ssl.keystore.location': `${stores}client.p12`, 'ssl.keystore.type': 'PKCS12' },
    isOurs: true,
  },
  {
    name: 'PKCS12 under the name of JKS',
    given: { ...jks, 'ssl.keystore.location': `${stores}client.p12` },
    isOurs: true,
  },
  {
    name: 'a PEM file',
    given: { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': `${stores}client.pem` },
    isOurs: true,
  },
  { name: 'PEM in the file itself', given: inline, isOurs: true },
  { name: 'no key store', given: {}, isOurs: false },
]) {
  test(`SSL with ${name}`, () => {
    const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': pem('ca') };
    const { protocol, tls, sasl } = securityOf({ 'security.protocol': 'ssl', ...trust, ...given });
    assert.deepEqual([protocol, sasl, tls?.verifyHostname], ['SSL', undefined, true]);
    assert.equal(tls?.material?.trusted?.length, 1);
    const own = tls?.material?.identity?.certificates[0];
    const wanted = Buffer.from(chain.replace(/-+[^-]+-+/g, ''), 'base64');
    assert.equal(own !== undefined && Buffer.from(own).equals(wanted), isOurs);
  });
}

test('an empty algorithm looks at no name', () => {
  const keys = { 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': '' };
  assert.equal(securityOf(keys).tls?.verifyHostname, false);
});

test('the login of sasl.jaas.config, and with tokenauth that of a delegation token', () => {
  assert.deepEqual(securityOf({ ...inPlain, 'sasl.jaas.config': plainModule }).sasl, {
    mechanism: 'PLAIN',
    username: 'alice',
    password: 's=c;r,et',
  });
  const token = {
    ...inPlain,
    'sasl.mechanism': 'SCRAM-SHA-256',
    'sasl.jaas.config': `${scramModule} tokenauth="true";`,
  };
  assert.deepEqual(securityOf(token).sasl, { mechanism: 'SCRAM-SHA-256', username: 't', password: 'h', isToken: true });
});

test('else that of the JAAS file that KAFKA_OPTS names', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-jaas-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'jaas.conf');
  writeFileSync(file, `Client { x required; }; KafkaClient { ${plainModule} };`);
  const properties = { 'java.security.auth.login.config': file };
  assert.equal(userOf(securityOf(inPlain, properties)), 'alice');
  const inBoth = { ...inPlain, 'sasl.jaas.config': plainModule.replace('alice', 'bob') };
  assert.equal(userOf(securityOf(inBoth, properties)), 'bob');
});

test('the login of tokens that the module describes', async () => {
  const module = `${OAUTHBEARER_MODULE} required unsecuredLoginStringClaim_sub="me" unsecuredLoginExtension_host="x";`;
  const { sasl } = securityOf({ ...inPlain, 'sasl.mechanism': 'OAUTHBEARER', 'sasl.jaas.config': module });
  assert.equal(sasl?.mechanism, 'OAUTHBEARER');
  const { value, extensions } = await sasl.oauthToken();
  const claims = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual([claims.sub, extensions], ['me', { host: 'x' }]);
});

test('a token is asked for at no URL that KAFKA_OPTS does not allow, where it allows some', () => {
  const keys = {
    ...inPlain,
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.jaas.config': `${OAUTHBEARER_MODULE} required clientId="a" clientSecret="b";`,
    'sasl.login.callback.handler.class': handlerClasses.login.secured[0],
    'sasl.oauthbearer.token.endpoint.url': 'http://a/b',
  };
  securityOf(keys, { [ALLOWED_URLS_PROPERTY]: 'http://c, http://a/b' });
  assert.throws(() => securityOf(keys, { [ALLOWED_URLS_PROPERTY]: 'http://a' }), /url=http:\/\/a\/b is refused/);
});

for (const { name, given, fault } of [
  { name: 'an unknown protocol', given: { 'security.protocol': 'TLS' }, fault: /String must be one of/ },
  {
    name: 'Kerberos, the default',
    given: { 'security.protocol': 'SASL_SSL' },
    fault: /sasl\.mechanism=GSSAPI is refused/,
  },
  {
    name: 'OAUTHBEARER with the module of another mechanism',
    given: { ...inPlain, 'sasl.mechanism': 'OAUTHBEARER', 'sasl.jaas.config': plainModule },
    fault:
      /OAUTHBEARER needs the login module org\.apache\.kafka\.common\.security\.oauthbearer\.OAuthBearerLoginModule/,
  },
  {
    name: 'a class of Java that would log in',
    given: { ...inPlain, 'sasl.jaas.config': plainModule, 'sasl.login.callback.handler.class': 'com.example.Handler' },
    fault: /com\.example\.Handler is refused: there are no classes of Java/,
  },
  { name: 'no login', given: inPlain, fault: /Could not find a 'KafkaClient' entry in the JAAS configuration/ },
  {
    name: 'a module too many',
    given: { ...inPlain, 'sasl.jaas.config': `${plainModule}${plainModule}` },
    fault: /contains 2 login modules, should be 1/,
  },
  {
    name: 'a module without an end',
    given: { ...inPlain, 'sasl.jaas.config': plainModule.slice(0, -1) },
    fault: /sasl\.jaas\.config=\[hidden\] is refused: line 1/,
  },
  {
    name: 'a store without its password',
    given: { 'security.protocol': 'SSL', 'ssl.keystore.location': 'x' },
    fault: /SSL key store is specified, but key store password is not/,
  },
  {
    name: 'a store that is not there',
    given: { ...jks, 'security.protocol': 'SSL', 'ssl.keystore.location': '/no/such' },
    fault: /ssl\.keystore\.location=\/no\/such is refused/,
  },
]) {
  test(`refused, and no password is told: ${name}`, () => {
    assert.throws(
      () => securityOf(given as Record<string, string>),
      (error) => error instanceof ConfigError && fault.test(error.message) && !error.message.includes('s=c;r,et'),
    );
  });
}

test('the options of a client carry it, and no key of it is said to be without effect', () => {
  const warnings: string[] = [];
  const log = { ...runtime.log, warn: (text: string) => void warnings.push(text) };
  const properties = new Map(
    Object.entries({ 'bootstrap.servers': 'b:1', ...inPlain, ...jks, 'sasl.jaas.config': plainModule }),
  );
  const options = adminOptions({ ...runtime, log }, properties);
  assert.equal(options.security && userOf(options.security), 'alice');
  assert.deepEqual(warnings, []);
});
