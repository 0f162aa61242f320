import assert from 'node:assert/strict';
import test from 'node:test';
import { zooCfg } from '../../../config/zoo-cfg.ts';
import { SimRandom } from '../../../runtime/sim/sim-random.ts';
import { ServerStats } from '../server-stats.ts';
import { Authentication } from './authentication.ts';
import { certificateFixture } from './certificate.fixture.ts';

const authenticationOf = (keys: Readonly<Record<string, string>> = {}, stats = new ServerStats()) =>
  new Authentication({
    config: zooCfg({ dataDir: '/d', ...keys }).auth,
    random: new SimRandom('authentication'),
    stats,
    saslUsers: undefined,
  });
const client = { host: '10.0.0.1', certificates: [] };
const packet = (scheme: string, auth: string | null) => ({
  type: 0,
  scheme,
  auth: auth === null ? null : Buffer.from(auth),
});
const PROVIDERS = 'org.apache.zookeeper.server.auth';
const { subject } = certificateFixture;
const owner = { host: '10.0.0.1', certificates: [certificateFixture.der] };
const ip = { scheme: 'ip', id: '10.0.0.1' };

test('ip and digest are known without a word, others by their providers', () => {
  const schemesOf = (keys: Readonly<Record<string, string>>) => [...authenticationOf(keys).schemes.keys()].sort();
  assert.deepEqual(schemesOf({}), ['digest', 'ip']);
  assert.deepEqual(schemesOf({ 'DigestAuthenticationProvider.enabled': 'false' }), ['ip']);
  assert.deepEqual(
    schemesOf({
      'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider`,
      'authProvider.tls': `${PROVIDERS}.X509AuthenticationProvider`,
      'authProvider.x': `${PROVIDERS}.EnsembleAuthenticationProvider`,
    }),
    ['digest', 'ensemble', 'ip', 'sasl', 'x509'],
  );
});

test('a digest is hashed by the algorithm that is configured', () => {
  const credentials = packet('digest', 'super:test');
  const idOf = (digestAlg: string) => {
    const outcome = authenticationOf({ 'DigestAuthenticationProvider.digestAlg': digestAlg }).authenticate(
      credentials,
      client,
    );
    return typeof outcome === 'string' ? outcome : outcome[0]?.id;
  };
  assert.equal(idOf('SHA1'), 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=');
  assert.match(idOf('SHA-256') ?? '', /^super:.{43}=$/);
  assert.match(idOf('SHA-384') ?? '', /^super:.{64}$/);
  assert.match(idOf('sha-512') ?? '', /^super:.{86}==$/);
  assert.match(idOf('SHA3-256') ?? '', /^super:.{43}=$/);
  assert.notEqual(idOf('SHA3-256'), idOf('SHA-256'));
});

test('no credentials, an unknown scheme and SASL by an auth packet fail', () => {
  const authentication = authenticationOf({ 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider` });
  for (const [scheme, auth] of [
    ['digest', null],
    ['world', 'anyone'],
    ['sasl', 'bob'],
    ['x509', ''],
  ] as const) {
    assert.equal(authentication.authenticate(packet(scheme, auth), client), 'failed', scheme);
  }
});

test('the name of the ensemble is compared, counted, and gives no id', () => {
  const stats = new ServerStats();
  const authentication = authenticationOf(
    { 'authProvider.1': `${PROVIDERS}.EnsembleAuthenticationProvider`, ensembleAuthName: 'blue, green' },
    stats,
  );
  const outcomes = ['green', 'blue', 'red', '', null].map((name) =>
    authentication.authenticate(packet('ensemble', name), client),
  );
  assert.deepEqual(outcomes, [[], [], 'disconnect', [], []]);
  assert.deepEqual([stats.ensembleAuthSuccess, stats.ensembleAuthFail, stats.ensembleAuthSkip], [2, 1, 2]);
  assert.equal(authentication.schemes.get('ensemble')?.isValid('blue'), false);
});

test('whoever shows a certificate is its subject, or super, or may not stay', () => {
  const x509 = { 'authProvider.x509': `${PROVIDERS}.X509AuthenticationProvider` };
  const named = { scheme: 'x509', id: subject };
  assert.deepEqual(authenticationOf(x509).idsOf(owner), [ip, named]);
  assert.deepEqual(authenticationOf(x509).idsOf(client), [ip]);
  const withSuperUser = { ...x509, 'X509AuthenticationProvider.superUser': subject };
  assert.deepEqual(authenticationOf(withSuperUser).idsOf(owner), [ip, { scheme: 'super', id: subject }, named]);
  assert.equal(authenticationOf().idsOf(owner), undefined);
  assert.equal(authenticationOf({ ...x509, 'ssl.authProvider': 'other' }).idsOf(owner), undefined);
  assert.equal(authenticationOf(x509).idsOf({ host: '10.0.0.1', certificates: [Buffer.from([1, 2, 3])] }), undefined);
});

test('x509 entries of ACLs hold distinguished names, and the super user fits them all', () => {
  const schemeOf = (keys: Readonly<Record<string, string>>) =>
    authenticationOf({ 'authProvider.1': `${PROVIDERS}.X509AuthenticationProvider`, ...keys }).schemes.get('x509');
  assert.equal(schemeOf({})?.isValid('CN=bob,O=Acme'), true);
  assert.equal(schemeOf({})?.isValid('bob'), false);
  assert.equal(schemeOf({})?.matches('CN=eve', 'CN=bob'), false);
  assert.equal(schemeOf({ 'X509AuthenticationProvider.superUser': 'CN=eve' })?.matches('CN=eve', 'CN=bob'), true);
});

test('sasl entries of ACLs hold names of Kerberos, and super and letAnySaslUserDoX fit more', () => {
  const sasl = authenticationOf({
    'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider`,
    letAnySaslUserDoX: 'anybody',
  }).schemes.get('sasl');
  const names = ['bob', '', 'bob/host', 'a/b/c', 'bob@REALM', 'bob/host@REALM', '@', 'a@b@c', 'a/b/c@R'];
  assert.deepEqual(
    names.map((name) => sasl?.isValid(name)),
    [true, true, true, true, true, true, true, false, false],
  );
  assert.equal(sasl?.matches('bob', 'bob'), true);
  assert.equal(sasl?.matches('bob', 'alice'), false);
  assert.equal(sasl?.matches('bob', 'anybody'), true);
  assert.equal(sasl?.matches('super', 'alice'), true);
});

const refused: readonly { keys: Readonly<Record<string, string>>; says: RegExp }[] = [
  {
    keys: { 'authProvider.1': 'com.example.Own' },
    says: /authProvider\.1=com\.example\.Own is refused: choose one of/,
  },
  {
    keys: { 'authProvider.1': `${PROVIDERS}.KeyAuthenticationProvider` },
    says: /is refused: choose one of Apache's own/,
  },
  { keys: { 'DigestAuthenticationProvider.digestAlg': 'CRC' }, says: /digestAlg=CRC is refused: choose MD5, SHA/ },
  { keys: { 'enforce.auth.enabled': 'true' }, says: /enforce\.auth\.schemes is missing/ },
  {
    keys: { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'digest, sasl' },
    says: /Authentication scheme sasl is not available/,
  },
  { keys: { sessionRequireClientSASLAuth: 'true' }, says: /sessionRequireClientSASLAuth=true is refused/ },
  { keys: { sessionRequireClientSASLAuth: 'maybe' }, says: /Choose 'true' or 'false/ },
];
for (const { keys, says } of refused) {
  test(`zoo.cfg refuses ${JSON.stringify(keys)}`, () => assert.throws(() => authenticationOf(keys), says));
}

test('system properties name providers and super users too', () => {
  const { auth, warnings } = zooCfg(
    { dataDir: '/d', 'superUser.2': 'carol' },
    {
      'zookeeper.authProvider.sasl': `${PROVIDERS}.SASLAuthenticationProvider`,
      'zookeeper.superUser': 'alice',
      'zookeeper.superUser.1': 'bob',
      'java.security.auth.login.config': '/jaas.conf',
      'zookeeper.sasl.serverconfig': 'Mine',
    },
  );
  assert.ok(auth.schemes.has('sasl'));
  assert.deepEqual([...auth.sasl.superUsers].sort(), ['alice', 'bob', 'carol']);
  assert.equal(auth.sasl.jaasFile, '/jaas.conf');
  assert.equal(auth.sasl.loginContext, 'Mine');
  assert.deepEqual(warnings, []);
});
