/** With zookeeper.set.acl=true our broker leaves every znode to whom Apache's leaves it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KafkaConfig } from '../../src/kafka/broker/config/kafka-config.ts';
import { startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { RawClient } from '../../src/kafka/broker/testkit/raw-client.ts';
import { ErrorCode } from '../../src/kafka/protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../src/kafka/protocol/messages/19-create-topics.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/kafka/protocol/messages/44-incremental-alter-configs.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../src/kafka/protocol/messages/51-alter-user-scram-credentials.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import type { ZookeeperClientOptions } from '../../src/zookeeper/client/client-options.ts';
import { listSubtree } from '../../src/zookeeper/client/recipes/nodes.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const PROVIDERS = 'org.apache.zookeeper.server.auth';
const JAAS = 'java.security.auth.login.config';
const stores = resolve(import.meta.dirname, '../golden/tls') + sep;
const runtime = nodeRuntime({ logLevel: 'off' });
const broker = { username: 'broker', password: 'secret' };

const keys = {
  'zookeeper.set.acl': 'true',
  'delegation.token.secret.key': 'key',
  'offsets.topic.replication.factor': '1',
};

function jaasFile(section: string, options: string): Record<string, string> {
  const file = join(tempDir(), 'jaas.conf');
  writeFileSync(file, `${section} {\n  ${PROVIDERS}.DigestLoginModule required\n  ${options};\n};\n`);
  return { [JAAS]: file };
}

async function startZookeeper(t: TestContext): Promise<string> {
  const server = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: tempDir(),
    config: { 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider` },
    properties: jaasFile('Server', `user_${broker.username}="${broker.password}"`),
  });
  t.after(() => server.stop());
  return server.connect;
}

/** Something of every kind that a broker writes. */
async function fill(bootstrap: string): Promise<void> {
  const client = new RawClient(runtime, bootstrap);
  const topic = { name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
  const created = await client.ask(CreateTopicsRequest, CreateTopicsResponse, 4, {
    topics: [topic],
    timeoutMs: 60_000,
  });
  assert.equal(created.topics[0]?.errorCode, ErrorCode.NONE);
  const config = { name: 'log.cleaner.backoff.ms', configOperation: 0, value: '16000' };
  const altered = await client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
    resources: [{ resourceType: 4, resourceName: '0', configs: [config] }],
  });
  assert.equal(altered.responses[0]?.errorCode, ErrorCode.NONE, String(altered.responses[0]?.errorMessage));
  const credential = { name: 'ann', mechanism: 1, iterations: 4096, salt: Buffer.of(1), saltedPassword: Buffer.of(2) };
  const users = await client.ask(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, 0, {
    deletions: [],
    upsertions: [credential],
  });
  assert.equal(users.results[0]?.errorCode, ErrorCode.NONE);
  client.close();
}

type Identity = Pick<ZookeeperClientOptions, 'sasl' | 'tls'>;

async function aclsBelow(connect: string, root: string, who: Identity): Promise<Record<string, string>> {
  const client = connectZookeeper(runtime, { connect, ...who });
  const found: Record<string, string> = {};
  for (const path of (await listSubtree(client, root)).sort()) {
    const { acl } = await client.getACL(path);
    found[path.slice(root.length)] = acl.map(({ perms, id }) => `${id.scheme}:${id.id} ${perms}`).join(', ');
  }
  await client.close();
  return found;
}

test('the znodes of a protected cluster belong to the same users as those of Apache’s broker', async (t) => {
  const connect = await startZookeeper(t);
  const apache = await startApacheKafka({
    version: '3.9.1',
    zookeeperConnect: `${connect}/apache`,
    logDir: tempDir(),
    overrides: keys,
    properties: {
      ...jaasFile('Client', `username="${broker.username}" password="${broker.password}"`),
      'zookeeper.fips-mode': 'false',
    },
  });
  t.after(() => apache.stop());
  const given = {
    ...keys,
    'broker.id': '0',
    'log.dirs': tempDir(),
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'zookeeper.connect': `${connect}/ours`,
  };
  const ours = await startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))), { zookeeperSasl: broker });
  t.after(() => ours.close());
  await fill(apache.bootstrap);
  await fill(`127.0.0.1:${ours.endpoints[0]?.port}`);
  const [theirs, found] = await Promise.all(
    ['/apache', '/ours'].map((root) => aclsBelow(connect, root, { sasl: broker })),
  );
  assert.ok(found);
  assert.deepEqual(found, theirs);
  assert.equal(found['/config/users/ann'], 'sasl:broker 31');
  assert.equal(found['/consumers'], 'world:anyone 31');
  assert.equal(found['/brokers/topics/t/partitions/0/state'], 'sasl:broker 31, world:anyone 1');
  assert.ok('/config/changes/config_change_0000000000' in found, Object.keys(found).join(' '));
});

test('a certificate is a name, too: the znodes belong to whom Apache’s broker leaves them with the same one', async (t) => {
  const securePort = await freePort();
  const server = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: tempDir(),
    config: {
      secureClientPort: securePort,
      secureClientPortAddress: '127.0.0.1',
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'authProvider.1': `${PROVIDERS}.X509AuthenticationProvider`,
      // Kafka's side of it is TLS 1.2 unless it is told otherwise.
      'ssl.enabledProtocols': 'TLSv1.2,TLSv1.3',
      'ssl.keyStore.location': `${stores}server.jks`,
      'ssl.keyStore.password': 'password',
      'ssl.trustStore.location': `${stores}trust.jks`,
      'ssl.trustStore.password': 'password',
    },
  });
  t.after(() => server.stop());
  const connect = `127.0.0.1:${securePort}`;
  const protectedKeys = {
    ...keys,
    'zookeeper.ssl.client.enable': 'true',
    'zookeeper.clientCnxnSocket': 'org.apache.zookeeper.ClientCnxnSocketNetty',
    'zookeeper.ssl.keystore.location': `${stores}client.jks`,
    'zookeeper.ssl.keystore.password': 'password',
    'zookeeper.ssl.truststore.location': `${stores}trust.jks`,
    'zookeeper.ssl.truststore.password': 'password',
  };
  const apache = await startApacheKafka({
    version: '3.9.1',
    zookeeperConnect: `${connect}/apache`,
    logDir: tempDir(),
    overrides: protectedKeys,
  });
  t.after(() => apache.stop());
  const given = {
    ...protectedKeys,
    'broker.id': '0',
    'log.dirs': tempDir(),
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'zookeeper.connect': `${connect}/ours`,
  };
  const ours = await startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))));
  t.after(() => ours.close());
  await fill(apache.bootstrap);
  await fill(`127.0.0.1:${ours.endpoints[0]?.port}`);
  const tls = {
    keyStore: { location: `${stores}client.jks`, password: 'password' },
    trustStore: { location: `${stores}trust.jks`, password: 'password' },
  };
  const [theirs, found] = await Promise.all(['/apache', '/ours'].map((root) => aclsBelow(connect, root, { tls })));
  assert.ok(found);
  assert.deepEqual(found, theirs);
  assert.equal(found['/config/users/ann'], 'x509:CN=client,O=odradek 31');
  assert.equal(found['/brokers/topics/t/partitions/0/state'], 'x509:CN=client,O=odradek 31, world:anyone 1');
});

const flagsOf = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `-D${key}=${value}`)
    .join(' ');

test('so do those of a cluster in one process, which takes its flags as both start scripts do', async (t) => {
  const dir = tempDir();
  const conf = join(dir, 'conf');
  mkdirSync(conf);
  const provider = `authProvider.1=${PROVIDERS}.SASLAuthenticationProvider`;
  writeFileSync(join(conf, 'zoo.cfg'), `clientPort=0\nadmin.enableServer=false\n${provider}\n`);
  const protects = 'zookeeper.set.acl=true';
  writeFileSync(join(conf, 'server.properties'), `broker.id=0\nlisteners=PLAINTEXT://127.0.0.1:0\n${protects}\n`);
  const logFile = join(dir, 'output.log');
  const program = resolve(import.meta.dirname, '../../src/cli/odradek.js');
  const ours = startService(process.execPath, [program, 'start', '--conf', conf, '--data', join(dir, 'data')], {
    logFile,
    env: {
      SERVER_JVMFLAGS: flagsOf(jaasFile('Server', `user_${broker.username}="${broker.password}"`)),
      KAFKA_OPTS: flagsOf(jaasFile('Client', `username="${broker.username}" password="${broker.password}"`)),
    },
  });
  t.after(() => ours.stop());
  const port = await until('both servers are ready', () => {
    const text = readFileSync(logFile, 'utf8');
    assert.ok(ours.alive(), text);
    return text.includes('Kafka is ready') ? /ZooKeeper is ready on localhost:(\d+)/.exec(text)?.[1] : undefined;
  });
  const found = await aclsBelow(`127.0.0.1:${port}`, '/brokers', { sasl: broker });
  assert.equal(found['/ids'], 'sasl:broker 31, world:anyone 1');
});
