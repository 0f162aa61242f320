import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from './config-error.ts';
import { parseProperties, readProperties } from './properties.ts';
import { allZooCfgOptions, readZooCfg, zooCfg } from './zoo-cfg.ts';

const cases: readonly { name: string; given: string; want: Record<string, string> }[] = [
  {
    name: 'a key may be followed by =, a colon or a blank',
    given: 'a=1\nb: 2\nc 3\nd\n',
    want: { a: '1', b: '2', c: '3', d: '' },
  },
  { name: 'blanks around the separator are dropped, at the end they stay', given: '  a \t=\f 1 \n', want: { a: '1 ' } },
  { name: 'a second separator belongs to the value', given: 'a==1\nb = : 2', want: { a: '=1', b: ': 2' } },
  { name: 'comments and blank lines are skipped', given: '# a=1\n ! b=2\n\n\t\nc=#3', want: { c: '#3' } },
  {
    name: 'a backslash joins lines, leading blanks of the next are dropped',
    given: 'a=1,\\\n   2,\\\r\n3',
    want: { a: '1,2,3' },
  },
  { name: 'an escaped backslash joins nothing', given: 'a=1\\\\\nb=2', want: { a: '1\\', b: '2' } },
  { name: 'a comment is not continued', given: '# x\\\na=1', want: { a: '1' } },
  { name: 'a comment mark inside a joined line is text', given: 'a=1\\\n#2', want: { a: '1#2' } },
  { name: 'escapes', given: 'a=\\t\\n\\r\\f\\u00e9\\q\\:', want: { a: '\t\n\r\fé' + 'q:' } },
  { name: 'separators in a key are escaped', given: 'a\\=b\\ c\\:d=1', want: { 'a=b c:d': '1' } },
  { name: 'the last of two equal keys counts', given: 'a=1\na=2', want: { a: '2' } },
  { name: 'old Macintosh line ends', given: 'a=1\rb=2', want: { a: '1', b: '2' } },
];
for (const { name, given, want } of cases) {
  test(`properties: ${name}`, () => assert.deepEqual(Object.fromEntries(parseProperties(given)), want));
}

test('properties: a file is Latin-1', () => {
  assert.equal(readProperties(Buffer.from('a=\xe9', 'latin1')).get('a'), 'é');
});

test('properties: a broken \\u escape is refused', () => {
  assert.throws(() => parseProperties('a=\\u12g4'), ConfigError);
});

test('properties: what is escaped is read back', () => {
  const escapeAll = (text: string) =>
    [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
      assert.equal(parseProperties(`${escapeAll(key)}=${escapeAll(value)}`).get(key), value);
    }),
  );
});

test('the shipped sample of Apache is read', () => {
  const config = readZooCfg(
    'tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\n#maxClientCnxns=60\n',
  );
  assert.equal(config.tickTimeMs, 2000);
  assert.equal(config.clientPort, 2181);
  assert.equal(config.dataLogDir, '/tmp/zookeeper');
  assert.equal(config.minSessionTimeoutMs, 4000);
  assert.equal(config.maxSessionTimeoutMs, 40_000);
  assert.equal(config.maxClientCnxns, 60);
  assert.deepEqual(config.fourLetterWords, ['srvr']);
  const readOnly = { 'readonlymode.enabled': 'true' };
  const asked = zooCfg({ dataDir: '/data', '4lw.commands.whitelist': 'mntr' }, readOnly);
  assert.deepEqual(asked.fourLetterWords, ['mntr', 'srvr', 'isro']);
  assert.deepEqual(config.warnings, []);
});

const refused: readonly { given: Record<string, string | number>; says: RegExp }[] = [
  { given: { dataDir: '/d', tickTime: 0 }, says: /tickTime=0 is refused: expected an integer of ms from 1$/ },
  { given: { dataDir: '/d', tickTime: '2s' }, says: /tickTime=2s is refused/ },
  { given: { clientPort: 2181 }, says: /dataDir is missing/ },
  { given: { dataDir: '/d', clientPort: 70_000 }, says: /clientPort=70000 is refused/ },
  { given: { dataDir: '/d', clientPortAddress: 'x' }, says: /clientPort must be set too/ },
  {
    given: { dataDir: '/d', standaloneEnabled: 'yes' },
    says: /Invalid option yes for standaloneEnabled\. Choose 'true' or 'false\.'/,
  },
  { given: { dataDir: '/d', electionAlg: 2 }, says: /electionAlg=2 is refused/ },
  { given: { dataDir: '/d', minSessionTimeout: 10, maxSessionTimeout: 5 }, says: /must not exceed/ },
  { given: { dataDir: '/d', secureClientPort: 2281 }, says: /ssl\.keyStore\.location is missing/ },
  { given: { dataDir: '/d', 'client.portUnification': 'true' }, says: /ssl\.keyStore\.location is missing/ },
  { given: { dataDir: '/d', secureClientPortAddress: 'x' }, says: /secureClientPort must be set too/ },
  { given: { dataDir: '/d', 'ssl.keyStore.location': '/k.bcfks' }, says: /BCFKS is not supported/ },
  { given: { dataDir: '/d', 'ssl.trustStore.location': '/k.store' }, says: /ssl\.trustStore\.location=\/k\.store/ },
  { given: { dataDir: '/d', 'ssl.clientAuth': 'maybe' }, says: /choose need, want or none/ },
  { given: { dataDir: '/d', 'ssl.protocol': 'TLSv1.1' }, says: /choose TLSv1\.2, TLSv1\.3 or both/ },
  { given: { dataDir: '/d', 'ssl.enabledProtocols': 'TLSv1.3,SSLv3' }, says: /choose TLSv1\.2, TLSv1\.3 or both/ },
  { given: { dataDir: '/d', 'ssl.ciphersuites': 'TLS_NULL' }, says: /unknown cipher suite: choose of TLS_AES/ },
  { given: { dataDir: '/d', 'ssl.handshakeDetectionTimeoutMillis': 0 }, says: /expected an integer of ms from 1/ },
  { given: { dataDir: '/d', 'ssl.crl': 'true' }, says: /ssl\.crl=true is refused: revocation/ },
  { given: { dataDir: '/d', 'ssl.ocsp': 'true' }, says: /ssl\.ocsp=true is refused: revocation/ },
  { given: { dataDir: '/d', 'ssl.clientHostnameVerification': 'true' }, says: /names of clients are not verified/ },
  { given: { dataDir: '/d', 'ssl.context.supplier.class': 'a.B' }, says: /no classes of Java/ },
  { given: { dataDir: '/d', 'ssl.keyStore.provider': 'X' }, says: /this part of TLS is not supported/ },
  { given: { dataDir: '/d', 'server.1': 'a:2888' }, says: /server\.1=a:2888 is refused: expected host:peerPort/ },
  { given: { dataDir: '/d', peerType: 'king' }, says: /choose participant or observer/ },
  { given: { dataDir: '/d', 'admin.serverPort': 70_000 }, says: /admin\.serverPort=70000 is refused/ },
  {
    given: { dataDir: '/d', secureClientPort: 1, 'ssl.keyStore.location': '/k.jks', 'ssl.authProvider': 'mine' },
    says: /ssl\.authProvider=mine is refused: No auth provider configured for the SSL authentication scheme/,
  },
  {
    given: { dataDir: '/d', 'ssl.keystore.password': 'swordfish' },
    says: /^ConfigError: ssl\.keystore\.password=\[hidden\] is refused: (?!.*swordfish)/,
  },
  { given: { dataDir: '/d', 'metricsProvider.className': 'x.Y' }, says: /metricsProvider\.className=x\.Y is refused/ },
  { given: { dataDir: '/d', 'metricsProvider.httpPort': -1 }, says: /metricsProvider\.httpPort=-1 is refused/ },
  { given: { dataDir: '/d', 'audit.impl.class': 'x.Y' }, says: /audit\.impl\.class=x\.Y is refused/ },
  { given: { dataDir: '/d', emulate353TTLNodes: 'true' }, says: /emulate353TTLNodes=true is refused: TTL nodes in/ },
  { given: { dataDir: '/d', 'jvm.pause.sleep.time.ms': 0 }, says: /jvm\.pause\.sleep\.time\.ms=0 is refused/ },
];
for (const { given, says } of refused) {
  test(`zoo.cfg refuses ${JSON.stringify(given)}`, () => assert.throws(() => zooCfg(given), says));
}

test('limits that Apache turns off below zero are taken, and off', () => {
  const config = zooCfg({
    dataDir: '/d',
    maxClientCnxns: -1,
    maxCnxns: -1,
    'autopurge.purgeInterval': -1,
    globalOutstandingLimit: 0,
    flushDelay: -1,
    maxBatchSize: 0,
    request_throttle_max_requests: -1,
    throttled_op_wait_time: -1,
    largeRequestThreshold: -5,
  });
  assert.equal(config.maxClientCnxns, -1);
  assert.equal(config.purgeIntervalHours, -1);
  assert.equal(config.maxBatchSize, Number.POSITIVE_INFINITY);
  assert.equal(config.limits.largeRequestThreshold, -1);
  assert.deepEqual(config.warnings, []);
});

test('a part of a snapshot is at most the whole of it', () => {
  for (const { given, want } of [
    { given: {}, want: 0.33 },
    { given: { snapshotSizeFactor: 0.5 }, want: 0.5 },
    { given: { snapshotSizeFactor: 1.5 }, want: 0.33 },
    { given: { snapshotSizeFactor: -1 }, want: -1 },
  ]) {
    assert.equal(zooCfg({ dataDir: '/data', ...given }).snapshotSizeFactor, want);
  }
});

test('an unknown key and a key without effect are warnings, once each', () => {
  const config = zooCfg({ dataDir: '/d', 'nio.numWorkerThreads': 4, helloWorld: 'x', myPassword: 'swordfish' });
  assert.deepEqual(config.warnings, [
    'nio.numWorkerThreads=4 is accepted without effect',
    'helloWorld=x is unknown and ignored',
    'myPassword=[hidden] is unknown and ignored',
  ]);
});

test('the admin server is on where a file configures the server, and where it is asked for', () => {
  assert.equal(readZooCfg('dataDir=/d').admin.enabled, true);
  assert.equal(readZooCfg('dataDir=/d\nadmin.enableServer=false').admin.enabled, false);
  assert.equal(zooCfg({ dataDir: '/d' }).admin.enabled, false);
  assert.equal(zooCfg({ dataDir: '/d', 'admin.enableServer': true }).admin.enabled, true);
});

test('members of an ensemble are read, with roles, client ports and IPv6', () => {
  const config = zooCfg({
    dataDir: '/d',
    'server.1': 'a:2888:3888;2181',
    'server.2': '[::1]:2888:3888:observer;[::1]:2182',
    'server.3': 'b:1:2|c:3:4',
    'multiAddress.enabled': true,
    'group.1': '1:2',
    'weight.1': '3',
  });
  assert.deepEqual(config.servers.get(1), {
    addresses: [{ host: 'a', peerPort: 2888, electionPort: 3888 }],
    role: 'participant',
    clientHost: undefined,
    clientPort: 2181,
  });
  assert.deepEqual(config.servers.get(2), {
    addresses: [{ host: '::1', peerPort: 2888, electionPort: 3888 }],
    role: 'observer',
    clientHost: '::1',
    clientPort: 2182,
  });
  assert.equal(config.servers.get(3)?.addresses.length, 2);
  assert.deepEqual(
    [...config.groups],
    [
      ['group.1', '1:2'],
      ['weight.1', '3'],
    ],
  );
  assert.deepEqual(config.warnings, []);
});

test('jute.maxbuffer is a system property, a prefixed property is a key of the file, which wins', () => {
  const config = readZooCfg('dataDir=/d\nsnapCount=7', {
    'jute.maxbuffer': '4096',
    'zookeeper.snapCount': '9',
    'zookeeper.globalOutstandingLimit': '5',
  });
  assert.equal(config.juteMaxBuffer, 4096);
  assert.equal(config.juteMaxBufferExtra, 4096);
  assert.equal(config.snapCount, 7);
  assert.equal(config.globalOutstandingLimit, 5);
  assert.deepEqual(readZooCfg('dataDir=/d\njute.maxbuffer=4096').warnings, [
    'jute.maxbuffer=4096 is unknown and ignored',
  ]);
});

test('every default in the table is a legal value of its option', () => {
  for (const option of allZooCfgOptions.values()) {
    if (option.default === null || option.default === '') continue;
    assert.doesNotThrow(() => zooCfg({ dataDir: '/d', [option.name]: option.default ?? '' }), option.name);
  }
});

test('the ssl keys of zoo.cfg, with what Apache takes where they are missing', () => {
  const given = { dataDir: '/d', secureClientPort: 2281, 'ssl.keyStore.location': '/k.p12' };
  const { secureClientPort, settings } = zooCfg(given).tls;
  assert.equal(secureClientPort, 2281);
  assert.deepEqual(settings, {
    keyStore: {
      location: '/k.p12',
      password: '',
      passwordPath: undefined,
      type: 'PKCS12',
      key: 'ssl.keyStore.location',
    },
    trustStore: undefined,
    clientAuthentication: 'need',
    protocols: ['TLSv1.3'],
    cipherSuites: settings.cipherSuites,
    handshakeTimeoutMs: 10_000,
    verifyHostname: true,
  });
  assert.ok(settings.cipherSuites?.every((suite) => /^TLS_(?:ECDHE_\w+_WITH_)?AES_/.test(suite)));
  const other = zooCfg(given, {
    'zookeeper.ssl.enabledProtocols': 'TLSv1.2,TLSv1.3',
    'zookeeper.ssl.clientAuth': 'WANT',
  });
  assert.deepEqual(other.tls.settings.protocols, ['TLSv1.2', 'TLSv1.3']);
  assert.equal(other.tls.settings.clientAuthentication, 'want');
});
