/** What a client may do with which ACLs, at Apache's broker 3.9.1 and at ours; and the ACLs themselves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { apiInfos } from '../../../src/kafka/protocol/api-keys.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { AclOperation, AclPermission, AclResource, PatternType } from '../../../src/kafka/security/acl.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import type { ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import { chosen } from '../breadth.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import { type AclPair, type AclSide, ANONYMOUS, askBoth, CLIENT, give, startAclPair, takeAll } from './acl-pair.ts';
import { type AclCase, type AclWorld, aclCases, GROUP, OTHER, SEEN, TRANSACTION } from './cases-acl.ts';
import { sharedVersions } from './generated/run.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';

let pair: AclPair;
let worlds: Readonly<Record<'apache' | 'odradek', AclWorld>>;
let versions: ReadonlyMap<number, readonly [number, number]>;

before(async () => {
  pair = await startAclPair({});
  worlds = { apache: await prepare(pair.apache), odradek: await prepare(pair.odradek) };
  versions = await sharedVersions({ apache: pair.apache.port, ours: pair.odradek.port });
});

after(() => pair?.stop());

/** Two topics with a record, a group with an offset in each, a transactional id. */
async function prepare({ port }: AclSide): Promise<AclWorld> {
  const topics = [SEEN, OTHER].map((name) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  await ask(port, 19, 4, { topics, timeoutMs: 60_000 });
  const done = async (what: string, apiKey: number, version: number, fields: object): Promise<void> => {
    await until(what, async () => (isDone(await ask(port, apiKey, version, fields)) ? true : undefined));
  };
  const record = { timestamp: 1_700_000_000_000, key: null, value: Buffer.from('v') };
  for (const name of [SEEN, OTHER]) {
    const partitionData = [{ index: 0, records: buildBatch({ records: [record] }) }];
    await done('a record', 0, 7, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name, topicId: ZERO_UUID, partitionData }],
    });
  }
  await done('a coordinator of groups', 10, 1, { key: GROUP, keyType: 0 });
  const committed = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
  const offsets = [SEEN, OTHER].map((name) => ({ name, partitions: committed }));
  await done('offsets', 8, 2, { groupId: GROUP, generationIdOrMemberEpoch: -1, memberId: '', topics: offsets });
  await done('a coordinator of transactions', 10, 1, { key: TRANSACTION, keyType: 1 });
  await done('a transactional id', 22, 0, { transactionalId: TRANSACTION, transactionTimeoutMs: 60_000 });
  const metadata = (await ask(port, 3, 12, {
    topics: [SEEN, OTHER].map((name) => ({ name, topicId: ZERO_UUID })),
  })) as {
    topics: { name: string; topicId: string }[];
  };
  const idOf = (name: string): string => metadata.topics.find((topic) => topic.name === name)?.topicId ?? '';
  return { seenId: idOf(SEEN), otherId: idOf(OTHER) };
}

/** No part of the answer tells of an error. */
function isDone(answer: Answer | 'closed'): boolean {
  return answer !== 'closed' && !/"errorCode":(?!0[,}])/.test(JSON.stringify(normalise(answer)));
}

/** Who was refused stands there with the numbers of a thread and a buffer. */
function comparable(answer: Answer | 'closed' | undefined): unknown {
  const text = JSON.stringify(normalise(answer));
  return JSON.parse(text.replace(/"Request Request\((?:[^"\\]|\\.)*\) is not authorized\."/g, '"refused"'));
}

async function compare(one: AclCase, version: number, given: string): Promise<void> {
  const [apaches, ours] = await askBoth(pair, one.apiKey, version, (side) => one.request(version, worlds[side]));
  assert.deepEqual(comparable(ours), comparable(apaches), `v${version} with ${given}`);
}

for (const one of aclCases) {
  const api = apiInfos.get(one.apiKey)?.name ?? String(one.apiKey);
  test(`${api} ${one.name}: no right, then one after the other`, async () => {
    const [first, last] = versions.get(one.apiKey) ?? [0, -1];
    const range: number[] = [];
    for (let version = first; version <= last; version += 1) {
      if (version >= (one.firstVersion ?? 0) && version <= (one.lastVersion ?? version)) range.push(version);
    }
    assert.ok(range.length > 0, `${api} has versions`);
    const told = chosen(range, (version) => version === range[0] || version === range.at(-1));
    await takeAll(pair);
    let given = 'nothing';
    for (const version of told) await compare(one, version, given);
    for (const right of one.rights) {
      await give(pair, right);
      given += `, ${JSON.stringify(right)}`;
      for (const version of told) await compare(one, version, given);
    }
  });
}

test('a client that wants no answer and has no right loses its connection', async () => {
  await takeAll(pair);
  const records = buildBatch({ records: [{ timestamp: 0, key: null, value: Buffer.from('v') }] });
  const topicData = [{ name: SEEN, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }];
  const request = () => ({ acks: 0, timeoutMs: 5000, transactionalId: null, topicData });
  assert.deepEqual(await askBoth(pair, 0, 7, request), ['closed', 'closed']);
});

test('a denial counts more than an allowance, and a prefix is all that begins with it', async () => {
  const { topic } = AclResource;
  const request = () => ({ topics: [SEEN, OTHER].map((name) => ({ name, topicId: ZERO_UUID })) });
  const codes = async (): Promise<number[][]> =>
    (await askBoth(pair, 3, 9, request)).map((answer) =>
      (answer as unknown as { topics: { name: string; errorCode: number }[] }).topics
        .sort((one, other) => (one.name < other.name ? 1 : -1))
        .map(({ errorCode }) => errorCode),
    );
  await takeAll(pair);
  await give(pair, { resourceType: topic, name: '*', operation: AclOperation.describe });
  assert.deepEqual(await codes(), [
    [0, 0],
    [0, 0],
  ]);
  const prefixed = { resourceType: topic, name: 'se', patternType: PatternType.prefixed };
  await give(pair, { ...prefixed, operation: AclOperation.all, permission: AclPermission.deny });
  assert.deepEqual(await codes(), [
    [29, 0],
    [29, 0],
  ]);
  await takeAll(pair);
  await give(pair, { ...prefixed, operation: AclOperation.read });
  assert.deepEqual(await codes(), [
    [0, 29],
    [0, 29],
  ]);
});

const creation = (fields: object = {}): object => ({
  resourceType: AclResource.topic,
  resourceName: 'made',
  principal: 'User:alice',
  host: '*',
  operation: AclOperation.read,
  permissionType: AclPermission.allow,
  ...fields,
});
const filter = (fields: object = {}): object => ({
  resourceTypeFilter: AclResource.any,
  resourceNameFilter: null,
  principalFilter: null,
  hostFilter: null,
  operation: AclOperation.any,
  permissionType: AclPermission.any,
  ...fields,
});

const created: readonly (readonly [string, object])[] = [
  ['an ACL', creation()],
  ['the same again', creation()],
  ['another of the same resource', creation({ host: '10.0.0.1', operation: 2, permissionType: 2 })],
  ['a principal of another type', creation({ principal: 'Role:a:b' })],
  ['a principal without a type', creation({ principal: 'alice' })],
  ['the cluster by another name', creation({ resourceType: AclResource.cluster })],
  ['the cluster', creation({ resourceType: AclResource.cluster, resourceName: 'kafka-cluster', operation: 7 })],
  ['a name that is empty', creation({ resourceName: '' })],
  ['a name with a slash', creation({ resourceName: 'a/b' })],
  ['every other type', [3, 5, 6, 7].map((resourceType) => creation({ resourceType }))],
  ['a type that nobody knows', creation({ resourceType: 99 })],
  ['an operation that nobody knows', creation({ operation: 99 })],
  ['a permission that nobody knows', creation({ permissionType: 99 })],
  ['any type', creation({ resourceType: 1 })],
  ['any operation', creation({ operation: 1 })],
  ['any permission', creation({ permissionType: 1 })],
  ['no type at all', creation({ resourceType: 0 })],
  ['no operation at all', creation({ operation: 0 })],
  ['good and bad together', [creation({ resourceName: '' }), creation({ host: 'h' }), creation({ principal: '' })]],
];

const prefixes: readonly (readonly [string, object])[] = [
  ['a prefix', creation({ resourcePatternType: 4, resourceName: 'pre' })],
  ['a prefix of transactional ids', creation({ resourcePatternType: 4, resourceName: 'pre', resourceType: 5 })],
  ['a pattern that matches', creation({ resourcePatternType: 2 })],
  ['any pattern', creation({ resourcePatternType: 1 })],
  ['a pattern that nobody knows', creation({ resourcePatternType: 99 })],
];

for (const [name, asked] of [...created, ...prefixes]) {
  const isPrefix = prefixes.some(([one]) => one === name);
  test(`CreateAcls: ${name}`, async () => {
    const request = { creations: Array.isArray(asked) ? asked : [asked] };
    for (let version = isPrefix ? 1 : 0; version <= 3; version += 1) {
      const [apaches, ours] = await askAsBroker(30, version, request);
      assert.deepEqual(comparable(ours), comparable(apaches), `v${version}`);
    }
    await sameZnodes();
  });
}

const filters: readonly (readonly [string, object])[] = [
  ['by name', filter({ resourceNameFilter: 'made' })],
  ['by name, with what matches it', filter({ resourceNameFilter: 'prefix', patternTypeFilter: 2 })],
  ['of prefixes', filter({ patternTypeFilter: 4 })],
  ['by name, whatever the pattern', filter({ resourceNameFilter: 'pre', patternTypeFilter: 1 })],
  ['of a type', filter({ resourceTypeFilter: AclResource.transactionalId, patternTypeFilter: 1 })],
  ['by principal', filter({ principalFilter: 'Role:a:b', patternTypeFilter: 1 })],
  ['by host and permission', filter({ hostFilter: '10.0.0.1', permissionType: 2 })],
  ['by operation', filter({ operation: 7 })],
  ['of nothing', filter({ resourceNameFilter: 'nothing' })],
  ['of an operation that nobody knows', filter({ operation: 99 })],
  ['of no operation', filter({ operation: 0 })],
  ['of no type', filter({ resourceTypeFilter: 0 })],
];

for (const [name, asked] of filters) {
  const first = 'patternTypeFilter' in asked ? 1 : 0;
  test(`DescribeAcls ${name}`, async () => {
    for (let version = first; version <= 3; version += 1) {
      const [apaches, ours] = await askAsBroker(29, version, asked);
      assert.deepEqual(comparable(ours), comparable(apaches), `v${version}`);
    }
  });
}

test('DeleteAcls tells what each filter meant, the first of them what several meant', async () => {
  const request = {
    filters: [
      filter({ resourceNameFilter: 'made', operation: 2 }),
      filter({ resourceNameFilter: 'made', resourceTypeFilter: AclResource.topic }),
      filter({ resourceNameFilter: 'made' }),
      filter({ resourceNameFilter: 'nothing', resourceTypeFilter: AclResource.topic }),
    ],
  };
  for (const version of [0, 3]) {
    const [apaches, ours] = await askAsBroker(31, version, request);
    assert.deepEqual(comparable(ours), comparable(apaches), `v${version}`);
    await sameZnodes();
  }
  for (const bad of [filter({ operation: 0 }), filter({ resourceTypeFilter: 0 })]) {
    assert.deepEqual(await askAsBroker(31, 3, { filters: [bad] }), ['closed', 'closed']);
  }
});

test("Apache's kafka-acls finds and changes our ACLs as its own broker's", async () => {
  const runs: readonly (readonly string[])[] = [
    ['--add', '--allow-principal', 'User:bob', '--producer', '--topic', 'orders', '--idempotent'],
    [
      '--add',
      '--deny-principal',
      'User:eve',
      '--operation',
      'Read',
      '--topic',
      'or',
      '--resource-pattern-type',
      'prefixed',
    ],
    ['--list', '--topic', 'orders', '--resource-pattern-type', 'match'],
    ['--remove', '--force', '--topic', 'or', '--resource-pattern-type', 'prefixed'],
    ['--list', '--principal', 'User:bob'],
  ];
  for (const args of runs) {
    const [apaches, ours] = await Promise.all(
      [pair.apache, pair.odradek].map(async ({ port }) => {
        const outcome = await kafkaTool('kafka-acls', '3.9.1', ['--bootstrap-server', `127.0.0.1:${port}`, ...args]);
        return {
          code: outcome.code,
          lines: outcome.stdout
            .split('\n')
            .map((line) => line.trim())
            .sort(),
        };
      }),
    );
    assert.deepEqual(ours, apaches, args.join(' '));
    assert.equal(ours?.code, 0);
  }
  await sameZnodes();
});

test("a change that Apache's kafka-acls makes in ZooKeeper counts at our broker", async () => {
  const { port, zookeeper } = pair.odradek;
  await takeAll(pair);
  const errorOf = async (): Promise<number | undefined> => {
    const topics = [{ name: SEEN, topicId: ZERO_UUID }];
    const answer = (await ask(port, 3, 9, { topics }, { localAddress: CLIENT })) as unknown as {
      topics: { errorCode: number }[];
    };
    return answer.topics[0]?.errorCode;
  };
  const change = async (...args: readonly string[]): Promise<void> => {
    const where = ['--authorizer-properties', `zookeeper.connect=${zookeeper}`];
    const done = await kafkaTool('kafka-acls', '3.9.1', [...where, ...args, '--topic', SEEN]);
    assert.equal(done.code, 0, done.stderr);
  };
  assert.equal(await errorOf(), 29);
  await change('--add', '--allow-principal', ANONYMOUS, '--allow-host', CLIENT, '--operation', 'Describe');
  await until('the right counts', async () => ((await errorOf()) === 0 ? true : undefined));
  const denial = ['--deny-principal', ANONYMOUS, '--deny-host', CLIENT, '--operation', 'Describe'];
  await change('--add', ...denial, '--resource-pattern-type', 'prefixed');
  await until('the denial counts', async () => ((await errorOf()) === 29 ? true : undefined));
  await change('--remove', '--force', '--resource-pattern-type', 'prefixed');
  await until('the denial is gone', async () => ((await errorOf()) === 0 ? true : undefined));
});

test('denials are logged in the words of Apache', async () => {
  await takeAll(pair);
  const before = [pair.apache, pair.odradek].map(({ logFile }) => readFileSync(logFile, 'utf8').length);
  const topics = [SEEN, SEEN, OTHER].map((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }));
  const asked = topics.map((one) => ({
    ...one,
    partitions: one.partitions.map((at) => ({ ...at, currentLeaderEpoch: -1, maxNumOffsets: 1 })),
  }));
  await askBoth(pair, 2, 5, () => ({ replicaId: -1, topics: asked }));
  await askBoth(pair, 22, 1, () => ({ transactionalId: null, transactionTimeoutMs: 1 }));
  await askBoth(pair, 16, 1, () => ({}));
  await askBoth(pair, 29, 1, () => filter());
  const denials = (logFile: string, from: number): string[] =>
    (
      readFileSync(logFile, 'utf8')
        .slice(from)
        .match(/Principal = .* resourceRefCount = \d+/g) ?? []
    ).sort();
  const [apaches, ours] = [pair.apache, pair.odradek].map(({ logFile }, index) => denials(logFile, before[index] ?? 0));
  assert.deepEqual(ours, apaches);
  assert.equal(ours?.length, 4);
});

/** From where everything is allowed. */
function askAsBroker(apiKey: number, version: number, fields: object): Promise<(Answer | 'closed')[]> {
  return Promise.all([pair.apache, pair.odradek].map(({ port }) => ask(port, apiKey, version, fields)));
}

/** The znodes of ACLs with their data and how often they were written; of changes, which there were: their order is that of a Java map. */
async function sameZnodes(): Promise<void> {
  const [apaches, ours] = await Promise.all([pair.apache, pair.odradek].map(({ zk }) => aclTree(zk)));
  assert.deepEqual(ours, apaches);
}

async function aclTree(zk: ZookeeperClient): Promise<object> {
  const nodes: Record<string, unknown> = {};
  const visit = async (path: string): Promise<void> => {
    const { data, stat } = await zk.getData(path);
    nodes[path] = [comparableAcls(Buffer.from(data ?? []).toString()), stat.version];
    for (const name of (await zk.getChildren(path)).sort()) await visit(`${path}/${name}`);
  };
  for (const root of ['/kafka-acl', '/kafka-acl-extended']) await visit(root);
  const changes: string[][] = [];
  for (const root of ['/kafka-acl-changes', '/kafka-acl-extended-changes']) {
    const names = await zk.getChildren(root);
    const told = await Promise.all(names.map(async (name) => (await zk.getData(`${root}/${name}`)).data));
    changes.push(told.map((data) => Buffer.from(data ?? []).toString()).sort());
  }
  return { nodes, changes };
}

/** As it was written, but the order of the ACLs, which is that of a Java set. */
function comparableAcls(text: string): string {
  const acls = /^\{"acls":\[(.*)\],"version":1\}$/.exec(text)?.[1];
  return acls === undefined
    ? text
    : acls
        .split(/(?<=\}),/)
        .sort()
        .join('\n');
}
