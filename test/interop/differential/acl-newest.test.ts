/** What a client may do with which ACLs in requests of 4.x, at Apache's broker 4.4.0 (StandardAuthorizer) and at ours. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { apiInfos } from '../../../src/kafka/protocol/api-keys.ts';
import { AclOperation, AclPermission, AclResource, CLUSTER_NAME } from '../../../src/kafka/security/acl.ts';
import { chosen } from '../breadth.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import type { ApacheKafka } from '../peers/apache-kafka.ts';
import { startApacheKraft } from '../peers/apache-kraft.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { ANONYMOUS, askBoth, CLIENT, give, type Ports, takeAll } from './acl-pair.ts';
import { type AclCase, type AclWorld, OTHER, SEEN } from './cases-acl.ts';
import { members, newestAclCases, regexBeat, regexRights, SHARERS } from './cases-acl-newest.ts';
import { sharedVersions } from './generated/run.ts';
import { topicsAndGroupsReady } from './groups-ready.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';

let apache: ApacheKafka;
let odradek: Odradek;
let ports: Ports;
let worlds: Readonly<Record<'apache' | 'odradek', AclWorld>>;
let versions: ReadonlyMap<number, readonly [number, number]>;

before(async () => {
  const dir = tempDir();
  const settings = {
    // Until there are ACLs: who is at home writes them first.
    'allow.everyone.if.no.acl.found': 'true',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.streams.initial.rebalance.delay.ms': '0',
    // Members are described that say no more than that they have come.
    ...Object.fromEntries(
      ['consumer', 'share', 'streams'].flatMap((type) => [
        [`group.${type}.max.session.timeout.ms`, '600000'],
        [`group.${type}.session.timeout.ms`, '600000'],
      ]),
    ),
  };
  const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
  [apache, odradek] = await Promise.all([
    startApacheKraft({ logDir: join(dir, 'apache'), overrides: { ...settings, 'authorizer.class.name': standard } }),
    startOdradek({
      dir,
      kafka: { ...settings, 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' },
    }),
  ]);
  ports = { apache: { port: apache.port }, odradek: { port: odradek.kafkaPort } };
  const [theirs, ours] = await Promise.all([prepare(apache.port), prepare(odradek.kafkaPort)]);
  worlds = { apache: theirs, odradek: ours };
  versions = await sharedVersions({ apache: apache.port, ours: odradek.kafkaPort });
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
});

/** Whoever comes from 127.0.0.1 may do everything. Two topics, and a group of each kind with a member. */
async function prepare(port: number): Promise<AclWorld> {
  const types = [AclResource.topic, AclResource.group, AclResource.transactionalId, AclResource.cluster];
  const creations = types.map((resourceType) => ({
    resourceType,
    resourceName: resourceType === AclResource.cluster ? CLUSTER_NAME : '*',
    resourcePatternType: 3,
    principal: ANONYMOUS,
    host: '127.0.0.1',
    operation: AclOperation.all,
    permissionType: AclPermission.allow,
  }));
  await ask(port, 30, 3, { creations });
  await topicsAndGroupsReady(port, { [SEEN]: 1, [OTHER]: 1 });
  for (const { apiKey, version, request } of members) {
    await until(`a member by request ${apiKey}`, async () => {
      const answer = (await ask(port, apiKey, version, request)) as Answer;
      return answer.errorCode === 0 ? answer : undefined;
    });
  }
  // A share group has offsets of its topics some time after its first member has come.
  await until('offsets of both topics', async () => {
    const request = { groups: [{ groupId: SHARERS, topics: null }] };
    const { groups } = (await ask(port, 90, 1, request)) as { groups: { topics: unknown[] }[] };
    return groups[0]?.topics.length === 2 || undefined;
  });
  const ids = await topicIds(port);
  return { seenId: ids.get(SEEN) ?? '', otherId: ids.get(OTHER) ?? '' };
}

async function topicIds(port: number): Promise<ReadonlyMap<string, string>> {
  const { topics } = (await ask(port, 3, 12, { topics: null })) as { topics: { name: string; topicId: string }[] };
  return new Map(topics.map(({ name, topicId }) => [name, topicId]));
}

async function compare(one: AclCase, version: number, given: string): Promise<void> {
  const [apaches, ours] = await askBoth(ports, one.apiKey, version, (side) => one.request(version, worlds[side]));
  assert.deepEqual(normalise(ours), normalise(apaches), `v${version} with ${given}`);
}

const telling = new Set([69, 75, 77, 84, 88, 90]);

for (const one of chosen(newestAclCases, ({ apiKey }) => telling.has(apiKey))) {
  test(`${apiInfos.get(one.apiKey)?.name} ${one.name}: no right, then one after the other`, async () => {
    const [first, last] = versions.get(one.apiKey) ?? [0, -1];
    assert.ok(first <= last, 'there are versions');
    const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const told = chosen(range, (version) => version === last);
    await takeAll(ports);
    let given = 'nothing';
    for (const version of told) await compare(one, version, given);
    for (const right of one.rights) {
      await give(ports, right);
      given += `, ${JSON.stringify(right)}`;
      for (const version of told) await compare(one, version, given);
    }
  });
}

test('a regular expression subscribes to the topics that its member may describe', async () => {
  await takeAll(ports);
  for (const right of regexRights) await give(ports, right);
  const assigned = ({ port }: { port: number }): Promise<unknown> =>
    until('an assignment', async () => {
      const answer = await ask(port, 68, 1, regexBeat, { localAddress: CLIENT });
      const { assignment } = answer as { assignment: { topicPartitions: { topicId: string }[] } | null };
      return assignment?.topicPartitions.length ? assignment : undefined;
    });
  const [apaches, ours] = await Promise.all([assigned(ports.apache), assigned(ports.odradek)]);
  const only = (topicId: string): object => ({ topicPartitions: [{ topicId, partitions: [0] }] });
  assert.deepEqual(apaches, only(worlds.apache.seenId));
  assert.deepEqual(ours, only(worlds.odradek.seenId));
});
