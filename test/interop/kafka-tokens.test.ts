/** Delegation tokens of one cluster: what Apache's broker makes ours knows, and what ours makes lets clients into Apache's. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KafkaConfig } from '../../src/kafka/broker/config/kafka-config.ts';
import { DelegationTokens } from '../../src/kafka/broker/delegation-tokens.ts';
import { startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { decodeToken, encodeToken } from '../../src/kafka/security/tokens/token-json.ts';
import { KafkaZk } from '../../src/kafka/zk/kafka-zk.ts';
import { paths } from '../../src/kafka/zk/znodes.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import { chosen } from './breadth.ts';
import { type ApacheKafka, startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { type Outcome, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { ToolHost } from './peers/tool-host.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
const LOGIN = 'org.apache.kafka.common.security';
const SASL = 'listener.name.sasl_plaintext';
const scram = `${LOGIN}.scram.ScramLoginModule`;
const plain = `${LOGIN}.plain.PlainLoginModule`;
const keys = { 'delegation.token.secret.key': 'the key of the cluster' };
const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

const overrides = {
  ...keys,
  listeners: 'PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0',
  'sasl.enabled.mechanisms': ['PLAIN', ...mechanisms].join(','),
  [`${SASL}.plain.sasl.jaas.config`]: `${plain} required user_ann="secret" user_bob="secret";`,
  [`${SASL}.scram-sha-256.sasl.jaas.config`]: `${scram} required;`,
  [`${SASL}.scram-sha-512.sasl.jaas.config`]: `${scram} required;`,
};

interface World {
  readonly apache: ApacheKafka;
  /** Where clients have to say who they are. */
  readonly secured: string;
  readonly zookeeper: string;
  readonly zk: KafkaZk;
  readonly ours: DelegationTokens;
}

async function start(t: TestContext): Promise<World> {
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => zookeeper.stop());
  const options = { version: '3.9.1', zookeeperConnect: zookeeper.connect, logDir: tempDir(), overrides } as const;
  const apache = await startApacheKafka(options);
  t.after(() => apache.stop());
  const [, port] = [...readFileSync(apache.logFile, 'utf8').matchAll(/Awaiting socket connections on .*:(\d+)/g)].map(
    ([, found]) => found,
  );
  const client = connectZookeeper(runtime, { connect: zookeeper.connect });
  t.after(() => client.close());
  const zk = new KafkaZk(client, runtime.clock, runtime.random);
  const config = new KafkaConfig(new Map(Object.entries({ ...keys, 'zookeeper.connect': zookeeper.connect })));
  const ours = new DelegationTokens(runtime, config, zk);
  await ours.start();
  t.after(() => ours.close());
  return { apache, secured: `127.0.0.1:${port}`, zookeeper: zookeeper.connect, zk, ours };
}

function loginFile(mechanism: string, jaas: string): string {
  const file = join(tempDir(), 'client.properties');
  const lines = ['security.protocol=SASL_PLAINTEXT', `sasl.mechanism=${mechanism}`, `sasl.jaas.config=${jaas}`];
  writeFileSync(file, lines.join('\n'));
  return file;
}

function toolArgs(secured: string, args: readonly string[]): string[] {
  const login = loginFile('PLAIN', `${plain} required username="ann" password="secret";`);
  return ['--bootstrap-server', secured, '--command-config', login, ...args];
}

function tokensTool({ secured }: World, ...args: string[]): Promise<Outcome> {
  return kafkaTool('kafka-delegation-tokens', '3.9.1', toolArgs(secured, args));
}

test('a token of Apache’s broker is the same to ours: secret, names, times, znode', async (t) => {
  const world = await start(t);
  const renewer = ['--renewer-principal', 'User:bob', '--renewer-principal', 'User:e v/e'];
  const made = await tokensTool(world, '--create', '--max-life-time-period', '-1', ...renewer);
  assert.equal(made.code, 0, made.stderr);
  const [tokenId = '', hmac = ''] = (made.stdout.trim().split('\n').at(-1) ?? '').split(/\s+/);
  const told = () => world.ours.described(() => true);
  const [known] = await until('the token to be known to us', () => (told().length > 0 ? told() : undefined));
  assert.ok(known);
  assert.equal(known.token.tokenId, tokenId);
  assert.equal(known.hmac.toString('base64'), hmac);
  const user = (name: string) => ({ type: 'User', name });
  assert.deepEqual([known.token.owner, known.token.requester], [user('ann'), user('ann')]);
  assert.deepEqual(known.token.renewers, [user('bob'), user('e v/e')]);
  assert.equal(known.token.maxTimestampMs - known.token.issueTimestampMs, 604_800_000);
  assert.equal(known.token.expiryTimestampMs - known.token.issueTimestampMs, 86_400_000);
  const { data } = await world.zk.client.getData(paths.delegationToken(tokenId));
  assert.equal(Buffer.from(encodeToken(decodeToken(data)!)).toString(), String(data));

  const renewed = await world.ours.renew({ principal: user('bob'), hmac: known.hmac, periodMs: 1_000_000_000 });
  assert.equal(renewed, known.token.maxTimestampMs);
  const described = await until('Apache’s broker to know that', async () => {
    const { stdout } = await tokensTool(world, '--describe', '--owner-principal', 'User:ann');
    const dates = stdout.match(/\d{4}-\d\d-\d\dT\d\d:\d\d/g) ?? [];
    return dates.length === 3 && dates[1] === dates[2] ? stdout : undefined;
  });
  assert.match(described, /Total number of tokens : 1/);
  const ended = await tokensTool(world, '--expire', '--expiry-time-period', '-1', '--hmac', hmac);
  assert.equal(ended.code, 0, ended.stderr);
  await until('the token to be gone here', () => (told().length === 0 ? true : undefined));
});

test('whoever holds a token of ours is let in by Apache’s broker until it ends', async (t) => {
  const world = await start(t);
  const ann = { type: 'User', name: 'ann' };
  const { token, hmac } = await world.ours.create({ owner: ann, requester: ann, renewers: [] }, -1);
  const list = (mechanism: string) => {
    const user = `username="${token.tokenId}" password="${hmac.toString('base64')}"`;
    const login = loginFile(mechanism, `${scram} required ${user} tokenauth="true";`);
    const args = ['--bootstrap-server', world.secured, '--command-config', login, '--list'];
    return kafkaTool('kafka-topics', '3.9.1', args);
  };
  await until('Apache’s broker to know the token', () =>
    readFileSync(world.apache.logFile, 'utf8').includes(token.tokenId) ? true : undefined,
  );
  for (const mechanism of mechanisms) {
    const { code, stderr } = await list(mechanism);
    assert.equal(code, 0, stderr);
  }
  await world.ours.expire({ principal: ann, hmac, periodMs: -1 });
  const heard = () => readFileSync(world.apache.logFile, 'utf8').split(`tokenId: ${token.tokenId}`).length;
  await until('Apache’s broker to hear of its end', () => (heard() > 2 ? true : undefined));
  const { code, stderr } = await list('SCRAM-SHA-512');
  assert.notEqual(code, 0);
  assert.match(stderr, /SaslAuthenticationException/);
});

/** Ids, secrets and times are each broker's own. */
function comparable({ code, stdout, stderr }: Outcome): unknown {
  const named = (text: string): string =>
    text
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d/g, '<time>')
      .replace(/[\w+/]{86}==/g, '<secret>')
      .replace(/^[\w-]{22}(?=\s)|(?<=tokenId : )[\w-]{22}/gm, '<id>')
      .replace(/^\tat .*\n|^Caused by: .*\n|^\t\.\.\. .*\n/gm, '');
  return { code, stdout: named(stdout), stderr: named(stderr) };
}

const toolVersions = chosen(['3.9.1'] as const, () => false);
for (const version of toolVersions) {
  test(`kafka-delegation-tokens ${version} prints with our broker what it prints with Apache’s`, async (t) => {
    const world = await start(t);
    const given = {
      ...overrides,
      'log.dirs': tempDir(),
      'zookeeper.connect': `${world.zookeeper}/ours`,
      'offsets.topic.replication.factor': '1',
    };
    const ours = await startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))));
    t.after(() => ours.close());
    const port = ours.endpoints.find(({ securityProtocol }) => securityProtocol === 'SASL_PLAINTEXT')?.port;
    const tools = await ToolHost.start(version);
    t.after(() => tools.close());
    const sides = [
      { secured: world.secured, secret: '' },
      { secured: `127.0.0.1:${port}`, secret: '' },
    ];
    const life = [
      '--create --max-life-time-period 100000000 --renewer-principal User:bob',
      '--create --max-life-time-period -1 --owner-principal User:eve',
      '--create --max-life-time-period -1 --renewer-principal Group:g',
      '--renew --renew-time-period 1000000000 --hmac $H',
      '--renew --renew-time-period 1 --hmac AAAA',
      '--describe --owner-principal User:bob',
      '--describe',
      '--expire --expiry-time-period 5000 --hmac $H',
      '--expire --expiry-time-period -1 --hmac $H',
      '--expire --expiry-time-period -1 --hmac $H',
      '--describe --owner-principal User:ann --owner-principal User:eve',
    ];
    for (const line of life) {
      const told: unknown[] = [];
      for (const side of sides) {
        const args = toolArgs(side.secured, line.replace('$H', side.secret).split(' '));
        const outcome = await tools.run('kafka-delegation-tokens', args);
        if (side.secret === '') side.secret = /[\w+/]{86}==/.exec(outcome.stdout)?.[0] ?? '';
        told.push(comparable(outcome));
      }
      const [theirs, found] = told;
      assert.deepEqual(found, theirs, line);
    }
  });
}
