/** The same load under the same quotas at Apache's broker 3.9.1 and at ours: the same throttle times, and as long a silence. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { flatten, slicesOf } from '../../../src/base/slices.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { PARTITION_FIELDS } from './fetch-fields.ts';
import { NamedClient } from './named-client.ts';
import { ask } from './raw-client.ts';

const THROTTLING_QUOTA_EXCEEDED = 89;
/** Whoever comes from there has no quota of its address. */
const ELSEWHERE = '127.0.0.2';

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;
let ports: readonly number[];

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  // Records of the tests are of 2023.
  const settings = { 'log.retention.ms': '-1' };
  const zookeeperConnect = zookeeper.connect;
  [apache, odradek] = await Promise.all([
    startApacheKafka({ version: '3.9.1', zookeeperConnect, logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  ports = [apache.port, odradek.kafkaPort];
  for (const port of ports) {
    await createTopic(port, 'setup', 't', 1);
    await until('the leader of the topic', async () => {
      const answer = await produce(port, 'setup', 20_000);
      return answer.responses[0]?.partitionResponses[0]?.errorCode === 0 ? true : undefined;
    });
    for (let count = 0; count < 3; count += 1) await produce(port, 'setup', 20_000);
  }
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

type Entity = Readonly<Record<string, string | null>>;

async function setQuota(port: number, entity: Entity, key: string, value: number | null): Promise<void> {
  const entry = {
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    ops: [{ key, value: value ?? 0, remove: value === null }],
  };
  const asked = ask(port, 49, 1, { entries: [entry] }, { localAddress: ELSEWHERE });
  const answer = (await asked) as { entries: { errorCode: number }[] };
  assert.equal(answer.entries[0]?.errorCode, 0);
}

/** Told the same at both; a change takes a moment to reach the broker. */
async function withQuota(entity: Entity, key: string, value: number): Promise<void> {
  for (const port of ports) await setQuota(port, entity, key, value);
}

function oneRequest<T>(port: number, clientId: string, apiKey: number, version: number, fields: object): Promise<T> {
  const client = new NamedClient(port, clientId);
  return client.ask<T>(apiKey, version, fields).finally(() => client.close());
}

interface Produced {
  readonly throttleTimeMs: number;
  readonly responses: readonly { readonly partitionResponses: readonly { readonly errorCode: number }[] }[];
}

function produceFields(bytes: number): object {
  const records = [{ timestamp: 1_700_000_000_000, key: null, value: Buffer.alloc(bytes, 'x') }];
  const partitionData = [{ index: 0, records: slicesOf(Buffer.from(flatten(buildBatch({ records })))) }];
  return { acks: 1, timeoutMs: 10_000, topicData: [{ name: 't', topicId: ZERO_UUID, partitionData }] };
}

const produce = (port: number, clientId: string, bytes: number, version = 9): Promise<Produced> =>
  oneRequest(port, clientId, 0, version, produceFields(bytes));

interface Fetched {
  readonly throttleTimeMs: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly partitions: readonly unknown[] }[];
}

function fetchFields(fetchOffset: number, partitionMaxBytes = 1_000_000): object {
  const place = { ...PARTITION_FIELDS, partition: 0, fetchOffset, partitionMaxBytes };
  const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [place] }];
  return { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, topics };
}

const fetch = (port: number, clientId: string, offset: number, version: number): Promise<Fetched> =>
  oneRequest(port, clientId, 1, version, {
    ...fetchFields(offset),
    ...(version >= 7 ? { sessionId: 0, sessionEpoch: 0 } : {}),
  });

async function endOf(port: number): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1, maxNumOffsets: 1 }];
  const answer = (await ask(port, 2, 1, { replicaId: -1, topics: [{ name: 't', partitions }] })) as {
    topics: { partitions: { offset: number }[] }[];
  };
  return answer.topics[0]?.partitions[0]?.offset ?? -1;
}

interface Created {
  readonly throttleTimeMs: number;
  readonly topics: readonly { readonly errorCode: number; readonly errorMessage: string | null }[];
}

function createTopic(port: number, clientId: string, name: string, count: number, version = 6): Promise<Created> {
  const topic = { name, numPartitions: count, replicationFactor: 1, assignments: [], configs: [] };
  return oneRequest(port, clientId, 19, version, { topics: [topic], timeoutMs: 60_000, validateOnly: false });
}

/** Tries until a quota that was just set is in force: an attempt with a fresh client id spoils nothing. */
async function inForce(attempt: (port: number, clientId: string) => Promise<{ readonly throttleTimeMs: number }>) {
  for (const port of ports) {
    let count = 0;
    await until('the quota is in force', async () => {
      count += 1;
      return (await attempt(port, `attempt-${count}`)).throttleTimeMs > 0 ? true : undefined;
    });
  }
}

/** Brokers take changes one after the other: once the last one is in force, all are. */
async function allInForce(marker: string): Promise<void> {
  await withQuota({ 'client-id': marker }, 'request_percentage', 0.000_001);
  for (const port of ports) {
    await until(`the quota of ${marker} is in force`, async () => {
      const client = new NamedClient(port, marker, ELSEWHERE);
      const asked = client.ask<{ throttleTimeMs: number }>(3, 4, { topics: [] });
      const { throttleTimeMs } = await asked.finally(() => client.close());
      return throttleTimeMs > 0 ? true : undefined;
    });
  }
}

async function same<T>(what: string, act: (port: number) => Promise<T>): Promise<T> {
  const [theirs, ours] = await Promise.all(ports.map(act));
  assert.deepEqual(ours, theirs, what);
  return ours as T;
}

test('produced bytes: the same throttle time to the millisecond, in every version that tells it', async () => {
  await withQuota({ 'client-id': null }, 'producer_byte_rate', 1000);
  await inForce((port, clientId) => produce(port, clientId, 50_000));
  for (const version of [3, 5, 6, 8, 9]) {
    const throttled = await same(`v${version}`, async (port) => {
      const { throttleTimeMs, responses } = await produce(port, `producer-${version}`, 100_000, version);
      return { throttleTimeMs, errorCode: responses[0]?.partitionResponses[0]?.errorCode };
    });
    assert.ok(throttled.throttleTimeMs > 80_000);
  }
});

test('a second request adds to the first, over a span that differs by one window and by what the requests took', async () => {
  const begunMs = performance.now();
  const [theirs, ours] = await Promise.all(
    ports.map(async (port) => {
      await produce(port, 'twice', 100_000);
      return (await produce(port, 'twice', 100_000)).throttleTimeMs;
    }),
  );
  const tookMs = performance.now() - begunMs;
  assert.ok(Math.abs(Number(theirs) - Number(ours)) <= 1000 + tookMs, `${theirs} and ${ours} within ${tookMs}`);
});

test('the connection is still for as long as it was told, and no longer than the next request needs', async () => {
  await withQuota({ 'client-id': 'muted' }, 'producer_byte_rate', 10_000);
  await allInForce('after muted');
  const told = await same('the first answer', async (port) => {
    const client = new NamedClient(port, 'muted');
    const startedMs = performance.now();
    const { throttleTimeMs } = await client.ask<Produced>(0, 9, produceFields(110_000));
    await client.ask(18, 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1' });
    const waitedMs = performance.now() - startedMs;
    client.close();
    assert.ok(waitedMs >= throttleTimeMs, `port ${port}: ${waitedMs} of ${throttleTimeMs}`);
    return throttleTimeMs;
  });
  assert.ok(told > 900 && told < 1100, String(told));
  for (const port of ports) {
    await setQuota(port, { 'client-id': 'muted' }, 'producer_byte_rate', null);
    await setQuota(port, { 'client-id': null }, 'producer_byte_rate', null);
  }
});

test('fetched bytes: an empty answer, the same throttle time, nothing counted, no session', async () => {
  await withQuota({ user: 'ANONYMOUS', 'client-id': null }, 'consumer_byte_rate', 1000);
  await inForce((port, clientId) => fetch(port, clientId, 0, 11));
  for (const version of [1, 3, 4, 7, 11, 12]) {
    const throttled = await same(`v${version}`, (port) => fetch(port, `consumer-${version}`, 0, version));
    if (version < 3) continue; // limits are hard, so that there is nothing to be throttled for
    assert.ok(throttled.throttleTimeMs > 9000, `v${version}`);
    assert.deepEqual(throttled.responses, []);
    const atTheEnd = await same(`v${version} at the end`, async (port) => {
      const { throttleTimeMs, responses } = await fetch(port, `consumer-${version}`, await endOf(port), version);
      return { throttleTimeMs, count: responses.length };
    });
    assert.deepEqual(atTheEnd, { throttleTimeMs: 0, count: 1 });
  }
});

test('time of the broker: no answer is throttled for longer than a window', async () => {
  for (const port of ports) await setQuota(port, { user: 'ANONYMOUS', 'client-id': null }, 'consumer_byte_rate', null);
  await withQuota({ 'client-id': 'slow' }, 'request_percentage', 0.000_001);
  const metadata = (port: number): Promise<{ throttleTimeMs: number }> =>
    oneRequest(port, 'slow', 3, 4, { topics: [] });
  for (const port of ports) {
    await until('the quota is in force', async () => ((await metadata(port)).throttleTimeMs > 0 ? true : undefined));
  }
  for (const [apiKey, version, fields] of [
    [18, 2, {}],
    [3, 4, { topics: [] }],
    [16, 1, {}],
    [48, 1, { components: [], strict: true }],
  ] as const) {
    const told = await same(`key ${apiKey}`, async (port) => {
      const answer = await oneRequest<{ throttleTimeMs: number }>(port, 'slow', apiKey, version, fields);
      return answer.throttleTimeMs;
    });
    assert.equal(told, 1000);
  }
});

test('changes of the cluster: what goes beyond the quota is refused, or done and told to older clients', async () => {
  // A partition in a hundred seconds: none comes free while this goes on.
  await withQuota({ user: null }, 'controller_mutation_rate', 0.01);
  for (const port of ports) {
    await until('the quota is in force', async () => {
      const { throttleTimeMs } = await createTopic(port, 'any', `attempt-${performance.now()}`, 2, 5);
      return throttleTimeMs > 0 ? true : undefined;
    });
  }
  const outcome = ({ throttleTimeMs, topics }: Created) => ({
    isThrottled: throttleTimeMs > 0,
    topics: topics.map(codes),
  });
  const codes = ({ errorCode, errorMessage }: Created['topics'][number]) => ({ errorCode, errorMessage });
  const refused = { isThrottled: true, topics: [{ errorCode: THROTTLING_QUOTA_EXCEEDED, errorMessage: null }] };
  assert.deepEqual(
    await same('strict', async (port) => outcome(await createTopic(port, 'any', 'strict', 1, 6))),
    refused,
  );
  const done = await same('permissive', async (port) => outcome(await createTopic(port, 'any', 'old', 1, 5)));
  assert.deepEqual(done, { isThrottled: true, topics: [{ errorCode: 0, errorMessage: null }] });
  await same('partitions', (port) =>
    oneRequest<{ throttleTimeMs: number; results: unknown }>(port, 'any', 37, 3, {
      topics: [{ name: 't', count: 2, assignments: null }],
      timeoutMs: 60_000,
    }).then(({ throttleTimeMs, results }) => ({ isThrottled: throttleTimeMs > 0, results })),
  );
  for (const version of [5, 4]) {
    await same(`deletion v${version}`, (port) =>
      oneRequest<{ throttleTimeMs: number; responses: unknown }>(port, 'any', 20, version, {
        topicNames: ['t'],
        timeoutMs: 60_000,
      }).then(({ throttleTimeMs, responses }) => ({ isThrottled: throttleTimeMs > 0, responses })),
    );
  }
});

test('connections of an address beyond its quota are held, then closed', async () => {
  await withQuota({ ip: '127.0.0.1' }, 'connection_creation_rate', 1);
  await allInForce('after the address');
  const answered = await Promise.all(
    ports.map(async (port) => {
      const asked = Array.from({ length: 30 }, () => ask(port, 18, 0, {}));
      return (await Promise.all(asked)).filter((answer) => answer !== 'closed').length;
    }),
  );
  // Ten at once are one a second over the ten windows that count.
  for (const count of answered) assert.ok(count >= 10 && count < 30, String(answered));
});
