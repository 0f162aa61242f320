/** Our Kafka client and our tools against Apache's broker with TLS and SASL. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClientTlsOptions } from '../../src/config/client-tls.ts';
import { createAdmin } from '../../src/kafka/client/admin.ts';
import { isAuthenticationError, SslAuthenticationError } from '../../src/kafka/client/client-errors.ts';
import { createConsumer } from '../../src/kafka/client/consumer.ts';
import { createProducer } from '../../src/kafka/client/producer.ts';
import { ErrorCode, KafkaError } from '../../src/kafka/protocol/errors.ts';
import type { ClientSecurity } from '../../src/kafka/security/client-security.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { chosen } from './breadth.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { type Outcome, run, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import {
  claimsOf,
  credentialsLogin,
  jwksFile,
  OAUTH_MODULE,
  SECURED_VALIDATOR,
  signed,
  startIssuer,
  unsecured,
} from './security/oauth-tokens.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
const stores = fileURLToPath(new URL('../golden/tls/', import.meta.url));
const pem = (name: string): string => readFileSync(join(stores, `${name}.pem`), 'latin1');

/** Of the broker. ELSEWHERE speaks SSL with a certificate for another host, and lets everybody in; OAUTH believes an issuer. */
const listeners = ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL', 'ELSEWHERE', 'OAUTH'] as const;
type Listener = (typeof listeners)[number];

const tls: ClientTlsOptions = { key: pem('client'), cert: pem('client'), ca: pem('ca') };
const plain = { mechanism: 'PLAIN', username: 'alice', password: 'secret' } as const;
const scram = { mechanism: 'SCRAM-SHA-512', username: 'b=o,b', password: 'geheim' } as const;
const secured = {
  SSL: { protocol: 'SSL', tls },
  SASL_PLAINTEXT: { protocol: 'SASL_PLAINTEXT', sasl: plain },
  SASL_SSL: { protocol: 'SASL_SSL', tls: { ca: pem('ca') }, sasl: scram },
  OAUTH: {
    protocol: 'SASL_PLAINTEXT',
    sasl: {
      mechanism: 'OAUTHBEARER',
      oauthToken: async () => ({ value: signed(claimsOf('alice', { aud: 'kafka' })), extensions: { host: 'x' } }),
    },
  },
} as const satisfies Partial<Record<Listener, ClientSecurity>>;

/** The same for tools. */
const properties = {
  SSL: {
    'security.protocol': 'SSL',
    'ssl.keystore.location': `${stores}client.jks`,
    'ssl.keystore.password': 'password',
    'ssl.truststore.location': `${stores}trust.p12`,
    'ssl.truststore.password': 'password',
    'ssl.truststore.type': 'PKCS12',
  },
  SASL_PLAINTEXT: {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";`,
  },
  SASL_SSL: {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${stores}ca.pem`,
  },
} as const;
const jaasFile =
  'KafkaClient { org.apache.kafka.common.security.scram.ScramLoginModule required username="b=o,b" password="geheim"; };';

const serverStores = (listener: string): Record<string, string> => ({
  [`listener.name.${listener}.ssl.keystore.location`]: `${stores}server.jks`,
  [`listener.name.${listener}.ssl.keystore.password`]: 'password',
  [`listener.name.${listener}.ssl.truststore.location`]: `${stores}trust.p12`,
  [`listener.name.${listener}.ssl.truststore.password`]: 'password',
  [`listener.name.${listener}.ssl.truststore.type`]: 'PKCS12',
});
const plainServer = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";';
const scramServer = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
/** Of the sessions of SASL_PLAINTEXT. Apache's broker takes a second login on a connection after a second, not earlier. */
const REAUTH_MS = 4000;

/** A refusal is not tried again until this is over. */
const API_TIMEOUT_MS = 240_000;

const ports = new Map<Listener, number>();
const bootstrap = (listener: Listener): string => `127.0.0.1:${ports.get(listener)}`;
const ends: (() => unknown)[] = [];

before(async () => {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  ends.push(() => zookeeper.kill());
  for (const listener of listeners) ports.set(listener, await freePort());
  const broker = await startApacheKafka({
    version: '3.9.1',
    zookeeperConnect: zookeeper.connect,
    logDir: join(dir, 'kafka'),
    overrides: {
      listeners: ['PLAINTEXT://127.0.0.1:0', ...listeners.map((name) => `${name}://${bootstrap(name)}`)].join(','),
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,ELSEWHERE:SSL,OAUTH:SASL_PLAINTEXT',
      ...serverStores('ssl'),
      'listener.name.ssl.ssl.client.auth': 'required',
      ...serverStores('sasl_ssl'),
      'listener.name.elsewhere.ssl.keystore.type': 'PEM',
      'listener.name.elsewhere.ssl.keystore.location': `${stores}elsewhere.pem`,
      'listener.name.sasl_plaintext.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': plainServer,
      'listener.name.sasl_plaintext.plain.connections.max.reauth.ms': REAUTH_MS,
      'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
      'listener.name.oauth.oauthbearer.sasl.jaas.config': `${OAUTH_MODULE} required;`,
      'listener.name.oauth.oauthbearer.sasl.server.callback.handler.class': SECURED_VALIDATOR,
      'listener.name.oauth.oauthbearer.sasl.oauthbearer.jwks.endpoint.url': jwksFile(),
      'listener.name.oauth.oauthbearer.sasl.oauthbearer.expected.audience': 'kafka',
      'listener.name.oauth.oauthbearer.connections.max.reauth.ms': REAUTH_MS,
      'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scramServer,
    },
  });
  ends.push(() => broker.kill());
  const credential = `SCRAM-SHA-512=[iterations=8192,password=geheim]`;
  const user = ['--entity-type', 'users', '--entity-name', scram.username, '--alter', '--add-config', credential];
  const made = await kafkaTool('kafka-configs', '3.9.1', ['--bootstrap-server', broker.bootstrap, ...user]);
  assert.match(made.stdout, /Completed updating config/, made.stderr);
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

function adminOf(t: TestContext, listener: Listener, security: ClientSecurity) {
  const admin = createAdmin(runtime, { bootstrapServers: bootstrap(listener), security, apiTimeoutMs: API_TIMEOUT_MS });
  t.after(() => admin.close());
  return admin;
}

for (const [listener, security] of Object.entries(secured) as [keyof typeof secured, ClientSecurity][]) {
  test(`admin, producer and consumer speak ${listener}`, async (t) => {
    const topic = `of-${listener}`;
    const admin = adminOf(t, listener, security);
    await admin.createTopics([{ name: topic, partitions: 2 }]);
    const producer = createProducer(runtime, { bootstrapServers: bootstrap(listener), security });
    t.after(() => producer.close({ timeoutMs: 0 }));
    const values = Array.from({ length: 100 }, (_, index) => `v${index}`);
    await Promise.all(values.map((value) => producer.send({ topic, value })));
    const groupId = `group-${listener}`;
    const consumer = createConsumer(runtime, {
      bootstrapServers: bootstrap(listener),
      security,
      groupId,
      autoOffsetReset: 'earliest',
    });
    t.after(() => consumer.close({ timeoutMs: 2_000 }));
    consumer.subscribe([topic]);
    const found: string[] = [];
    await until('all records', async () => {
      for (const { value } of await consumer.poll({ timeoutMs: 500 })) found.push(Buffer.from(value ?? '').toString());
      return found.length >= values.length || undefined;
    });
    assert.deepEqual(found.sort(), values.sort());
  });
}

test('a connection outlives its session by logging in again', async (t) => {
  const admin = adminOf(t, 'SASL_PLAINTEXT', secured.SASL_PLAINTEXT);
  const { brokers } = await admin.describeCluster();
  const connection = await admin.connect(brokers[0]!.id);
  for (let session = 0; session < 2; session += 1) {
    await admin.allTopics();
    // Requests that left before the end and arrived after it would be refused.
    const begunMs = runtime.clock.monotonicMs();
    await until('the end of a session', () => runtime.clock.monotonicMs() - begunMs > REAUTH_MS || undefined);
  }
  await admin.allTopics();
  assert.equal(await admin.connect(brokers[0]!.id), connection);
  assert.ok(connection.isOpen);
});

const refusals: readonly {
  readonly name: string;
  readonly listener: Listener;
  readonly security: ClientSecurity;
  readonly code?: number;
  readonly message: RegExp;
}[] = [
  {
    name: 'a wrong password of PLAIN',
    listener: 'SASL_PLAINTEXT',
    security: { protocol: 'SASL_PLAINTEXT', sasl: { ...plain, password: 'wrong' } },
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: /^Authentication failed: Invalid username or password$/,
  },
  {
    name: 'a wrong password of SCRAM',
    listener: 'SASL_SSL',
    security: { ...secured.SASL_SSL, sasl: { ...scram, password: 'wrong' } },
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message:
      /^Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512$/,
  },
  {
    name: 'a token without a signature',
    listener: 'OAUTH',
    security: {
      protocol: 'SASL_PLAINTEXT',
      sasl: { mechanism: 'OAUTHBEARER', oauthToken: async () => ({ value: unsecured(claimsOf('alice')) }) },
    },
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: /^{"status":"invalid_token"}$/,
  },
  {
    name: 'a mechanism that is not enabled',
    listener: 'SASL_PLAINTEXT',
    security: { protocol: 'SASL_PLAINTEXT', sasl: scram },
    code: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
    message: /^Client SASL mechanism 'SCRAM-SHA-512' not enabled in the server, enabled mechanisms are \[PLAIN\]$/,
  },
  {
    name: 'a server whose certificate is for another host',
    listener: 'ELSEWHERE',
    security: { protocol: 'SSL', tls: { ca: pem('ca') } },
    message: /^SSL handshake failed: /,
  },
  {
    name: 'a server that is not trusted',
    listener: 'SASL_SSL',
    security: { ...secured.SASL_SSL, tls: { ca: pem('other-ca') } },
    message: /^SSL handshake failed: /,
  },
  {
    name: 'a client without a certificate',
    listener: 'SSL',
    security: { protocol: 'SSL', tls: { ca: pem('ca') } },
    message: /^SSL handshake failed: /,
  },
];
for (const { name, listener, security, code, message } of refusals) {
  test(`refused at once: ${name}`, { timeout: API_TIMEOUT_MS / 2 }, async (t) => {
    await assert.rejects(adminOf(t, listener, security).allTopics(), (error) => {
      assert.ok(isAuthenticationError(error), String(error));
      assert.match(error.message, message);
      return code === undefined ? error instanceof SslAuthenticationError : error.code === code;
    });
  });
}

test('the name is not looked at where nobody asks for it', async (t) => {
  const trusting: ClientSecurity = { protocol: 'SSL', tls: { ca: pem('ca'), verifyHostname: false } };
  await adminOf(t, 'ELSEWHERE', trusting).allTopics();
});

test('a producer that is refused fails its records', async (t) => {
  const security: ClientSecurity = { protocol: 'SASL_PLAINTEXT', sasl: { ...plain, password: 'wrong' } };
  const producer = createProducer(runtime, { bootstrapServers: bootstrap('SASL_PLAINTEXT'), security });
  t.after(() => producer.close({ timeoutMs: 0 }));
  await assert.rejects(
    producer.send({ topic: 'any', value: 'x' }),
    (error) => error instanceof KafkaError && error.code === ErrorCode.SASL_AUTHENTICATION_FAILED,
  );
});

interface ToolRun {
  readonly listener: keyof typeof properties;
  /** Where it goes, when not to `listener`. */
  readonly at?: Listener;
  readonly file?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A file of properties for a tool. */
function configOf({ listener, file }: ToolRun): string {
  const path = join(tempDir(), 'client.properties');
  const lines = Object.entries({ ...properties[listener], ...file }).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path, lines.join(''));
  return path;
}

function ourTool(name: string, flag: string, args: readonly string[], how: ToolRun): Promise<Outcome> {
  const jaas = join(tempDir(), 'jaas.conf');
  writeFileSync(jaas, jaasFile);
  const script = fileURLToPath(new URL(`../../src/kafka/cli/${name}.ts`, import.meta.url));
  const all = [script, '--bootstrap-server', bootstrap(how.at ?? how.listener), flag, configOf(how), ...args];
  const env = { KAFKA_OPTS: `-Djava.security.auth.login.config=${jaas}` };
  return run(process.execPath, all, { env, ...(how.stdin === undefined ? {} : { stdin: how.stdin }) });
}

const spoken = ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
for (const listener of chosen(spoken, (one) => one === 'SASL_SSL')) {
  test(`our tools speak ${listener}`, async () => {
    const topic = `tools-of-${listener.replace('_', '-')}`;
    const made = await ourTool('kafka-topics', '--command-config', ['--create', '--topic', topic], { listener });
    assert.equal(made.stdout, `Created topic ${topic}.\n`, made.stderr);
    const sent = await ourTool('kafka-console-producer', '--producer.config', ['--topic', topic], {
      listener,
      stdin: 'a\nb\n',
    });
    assert.equal(sent.stderr, '');
    const reading = ['--topic', topic, '--from-beginning', '--max-messages', '2'];
    const read = await ourTool('kafka-console-consumer', '--consumer.config', reading, { listener });
    assert.equal(read.stdout, 'a\nb\n', read.stderr);
  });
}

test('our tools say who was refused, as Apache says it', async () => {
  const jaas = properties.SASL_PLAINTEXT['sasl.jaas.config'].replace('secret', 'wrong');
  const how: ToolRun = { listener: 'SASL_PLAINTEXT', file: { 'sasl.jaas.config': jaas } };
  const theirs = ['--bootstrap-server', bootstrap(how.listener), '--command-config', configOf(how), '--list'];
  const [ours, apache] = await Promise.all([
    ourTool('kafka-topics', '--command-config', ['--list'], how),
    kafkaTool('kafka-topics', '3.9.1', theirs),
  ]);
  assert.deepEqual([ours.code, ours.stdout], [apache.code, apache.stdout]);
  assert.match(
    ours.stdout,
    /^Error while executing topic command : Authentication failed: Invalid username or password$/m,
  );
  for (const { stderr } of [ours, apache]) {
    assert.match(stderr, /SaslAuthenticationException: Authentication failed: Invalid username or password/);
    assert.match(stderr, /Connection to node -1 \(.*\) failed authentication due to: Authentication failed: /);
  }
});

test('our tools come with a token that an issuer gives them over HTTPS, and say where they get none', async (t) => {
  const issuer = await startIssuer(pem('server'));
  t.after(() => issuer.close());
  const trust = `ssl.truststore.location="${stores}trust.jks" ssl.truststore.password="password"`;
  const list = (secret: string, options: string) =>
    ourTool('kafka-topics', '--command-config', ['--list'], {
      listener: 'SASL_PLAINTEXT',
      file: { ...credentialsLogin(issuer, secret, options), 'sasl.login.retry.backoff.max.ms': '0' },
      at: 'OAUTH',
    });
  const listed = await list('client-secret', trust);
  assert.equal(listed.code, 0, listed.stdout + listed.stderr);
  const wrong = await list('guess', trust);
  assert.match(wrong.stdout, /there is no OAuth token: The response code 401 .*invalid_client - who is this/);
  const untrusted = await list('client-secret', 'extension_x="y"');
  assert.match(untrusted.stdout, /there is no OAuth token: /);
  assert.equal(issuer.asked.length, 2);
});
