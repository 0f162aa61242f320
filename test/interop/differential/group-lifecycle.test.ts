/** Whole lives of groups, told to Apache's broker 3.9.1 and to ours: the same answers, and the same records in `__consumer_offsets`. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { flatten, type Slices } from '../../../src/base/slices.ts';
import { decodeRecord } from '../../../src/kafka/coordinator/group/group-records.ts';
import { partitionFor } from '../../../src/kafka/coordinator/partition-for.ts';
import { ConsumerProtocolSubscription } from '../../../src/kafka/protocol/records/consumer-protocol.ts';
import { writeVersioned } from '../../../src/kafka/protocol/records/versioned.ts';
import { allRecordsOf } from '../../../src/kafka/records/iterate.ts';
import { build } from '../../../src/wire/schema.ts';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { groupsReady } from './groups-ready.ts';
import { type Answer, ask } from './raw-client.ts';

const PARTITIONS = 3;
/** Runs out where nothing is to be asked before. */
const SHORT_MS = 1000;
/** Runs out too, but not while somebody is asked. */
const SESSION_MS = 10_000;
const LONG_MS = 60_000;

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const settings = {
    'offsets.topic.num.partitions': String(PARTITIONS),
    'offsets.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'group.max.size': '3',
  };
  const zookeeperConnect = zookeeper.connect;
  [apache, odradek] = await Promise.all([
    startApacheKafka({ version: '3.9.1', zookeeperConnect, logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  for (const port of [apache.port, odradek.kafkaPort]) {
    for (const topic of ['t', 'u']) {
      const at = ['--bootstrap-server', `127.0.0.1:${port}`];
      const created = await kafkaTool('kafka-topics', '3.9.1', [...at, '--create', '--topic', topic]);
      assert.equal(created.code, 0, created.stderr);
    }
    await groupsReady(port);
  }
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

const subscription = (...topics: string[]): Uint8Array =>
  writeVersioned(ConsumerProtocolSubscription, 1, build(ConsumerProtocolSubscription, { topics }));

interface Joining {
  readonly memberId?: string;
  readonly instanceId?: string;
  readonly version?: number;
  readonly topics?: readonly string[];
  readonly protocols?: readonly string[];
  readonly protocolType?: string;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
}

interface Joined extends Answer {
  readonly memberId: string;
  readonly generationId: number;
  readonly leader: string;
}

/** One group on one broker; everything that is answered goes into the transcript. */
class Story {
  readonly group: string;
  readonly #port: number;
  /** In the order of the requests, whatever the order of their answers. */
  readonly #answers: { readonly what: string; answer: unknown }[] = [];
  readonly #names = new Map<string, string>();

  constructor(port: number, group: string) {
    this.#port = port;
    this.group = group;
  }

  get transcript(): readonly unknown[] {
    return this.#answers.map(({ what, answer }) => [what, this.#named(answer)]);
  }

  async #tell(what: string, apiKey: number, version: number, fields: object): Promise<Answer> {
    const told: { what: string; answer: unknown } = { what, answer: undefined };
    this.#answers.push(told);
    told.answer = await ask(this.#port, apiKey, version, fields);
    return told.answer as Answer;
  }

  /** Member ids are random: they are told by the order in which they appeared. */
  #named(value: unknown): unknown {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#named(item));
      return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#named(item)]));
    }
    return typeof value === 'string' ? this.#name(value) : value;
  }

  #name(text: string): string {
    const match = /^(.+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(text);
    if (match === null) return text;
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `${match[1]} #${this.#names.size}`;
      this.#names.set(text, name);
    }
    return name;
  }

  async join(given: Joining = {}): Promise<Joined> {
    const { memberId = '', instanceId = null, version = 9, topics = ['t'], protocols = ['range'] } = given;
    const fields = {
      groupId: this.group,
      memberId,
      ...(version >= 5 ? { groupInstanceId: instanceId } : {}),
      protocolType: given.protocolType ?? 'consumer',
      protocols: protocols.map((name) => ({ name, metadata: subscription(...topics) })),
      sessionTimeoutMs: given.sessionTimeoutMs ?? LONG_MS,
      rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? LONG_MS,
    };
    return (await this.#tell('join', 11, version, fields)) as Joined;
  }

  async enter(given: Joining = {}): Promise<Joined> {
    const { memberId } = await this.join(given);
    return this.join({ ...given, memberId });
  }

  sync(member: Joined, assignments: { readonly [memberId: string]: string } = {}, instanceId: string | null = null) {
    return this.#tell('sync', 14, 5, {
      groupId: this.group,
      generationId: member.generationId,
      memberId: member.memberId,
      groupInstanceId: instanceId,
      protocolType: member.protocolType,
      protocolName: member.protocolName,
      assignments: Object.entries(assignments).map(([id, part]) => ({ memberId: id, assignment: Buffer.from(part) })),
    });
  }

  heartbeat(member: Joined, instanceId: string | null = null) {
    const { memberId, generationId } = member;
    return this.#tell('heartbeat', 12, 4, { groupId: this.group, memberId, generationId, groupInstanceId: instanceId });
  }

  leave(...members: { memberId?: string; instanceId?: string }[]) {
    return this.#tell('leave', 13, 5, {
      groupId: this.group,
      members: members.map(({ memberId = '', instanceId = null }) => ({
        memberId,
        groupInstanceId: instanceId,
        reason: 'why',
      })),
    });
  }

  commit(offset: number, member?: Joined, given: { topic?: string; version?: number; metadata?: string } = {}) {
    const { topic = 't', version = 9, metadata = '' } = given;
    return this.#tell('commit', 8, version, {
      groupId: this.group,
      ...(member && { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId }),
      topics: [
        {
          name: topic,
          topicId: '',
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: offset,
              committedLeaderEpoch: -1,
              commitTimestamp: -1,
              committedMetadata: metadata,
            },
          ],
        },
      ],
    });
  }

  fetch() {
    const topics = ['t', 'u'].map((name) => ({ name, topicId: '', partitionIndexes: [0] }));
    const groups = [{ groupId: this.group, memberId: null, memberEpoch: -1, topics }];
    return this.#tell('fetch', 9, 9, { groups, requireStable: true });
  }

  describe() {
    return this.#tell('describe', 15, 5, { groups: [this.group], includeAuthorizedOperations: true });
  }

  async list(states: string[] = []): Promise<void> {
    const answer = (await ask(this.#port, 16, 4, { statesFilter: states })) as { groups: { groupId: string }[] };
    this.#answers.push({ what: 'list', answer: answer.groups.filter(({ groupId }) => groupId === this.group) });
  }

  deleteGroup() {
    return this.#tell('delete', 42, 2, { groupsNames: [this.group] });
  }

  deleteOffsets(...topics: string[]) {
    return this.#tell('delete offsets', 47, 0, {
      groupId: this.group,
      topics: topics.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
    });
  }

  /** Until the group is in a state, with so many members. */
  async waitFor(state: string, members?: number): Promise<void> {
    await until(`${this.group} is ${state}`, async () => {
      const answer = (await ask(this.#port, 15, 0, { groups: [this.group] })) as {
        groups: { groupState: string; members: unknown[] }[];
      };
      const [group] = answer.groups;
      const isThere = group?.groupState === state && (members === undefined || group.members.length === members);
      return isThere ? true : undefined;
    });
  }

  /** What the broker has written of the group, in order. */
  async records(): Promise<unknown[]> {
    const partition = partitionFor(this.group, PARTITIONS);
    const wanted = { partition, fetchOffset: 0, partitionMaxBytes: 10_000_000, logStartOffset: -1 };
    const answer = (await ask(this.#port, 1, 4, {
      replicaId: -1,
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 10_000_000,
      topics: [{ topic: '__consumer_offsets', topicId: '', partitions: [wanted] }],
    })) as unknown as { responses: { partitions: { records: Slices }[] }[] };
    const found: unknown[] = [];
    for (const { key, value } of allRecordsOf(flatten(answer.responses[0]!.partitions[0]!.records))) {
      const record = decodeRecord(key!, value);
      if (record?.group !== this.group) continue;
      const version = value === null ? null : Buffer.from(value).readInt16BE(0);
      found.push([version, withoutTimes(this.#named(record))]);
    }
    return found;
  }
}

function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, item) =>
    /timestamp/i.test(key) && typeof item === 'number' ? Math.sign(item) : item,
  );
}

const stories: readonly { readonly name: string; readonly tell: (story: Story) => Promise<void> }[] = [
  {
    name: 'dynamic members come, rebalance, commit, leave, and the group is deleted',
    async tell(story) {
      const one = await story.enter();
      await story.describe();
      await story.sync(one, { [one.memberId]: 'all' });
      await story.describe();
      await story.list(['stable']);
      await story.heartbeat(one);
      await story.commit(5, one);
      await story.commit(6);
      const { memberId } = await story.join();
      const entering = story.join({ memberId });
      await story.waitFor('PreparingRebalance', 2);
      await story.heartbeat(one);
      await story.commit(7, one);
      await story.sync(one);
      const again = await story.join({ memberId: one.memberId });
      const two = await entering;
      await story.commit(8, one);
      await story.commit(8, again);
      await story.heartbeat(two);
      const syncing = story.sync(two);
      await story.sync(again, { [one.memberId]: 'half', [memberId]: 'other half' });
      await syncing;
      await story.describe();
      await story.fetch();
      await story.deleteGroup();
      await story.deleteOffsets('t', 'u');
      await story.leave({ memberId }, { memberId: 'nobody' });
      await story.heartbeat(again);
      await story.leave({ memberId: one.memberId });
      await story.describe();
      await story.list(['Empty']);
      await story.heartbeat(again);
      await story.commit(9, again);
      await story.commit(9);
      await story.fetch();
      await story.deleteGroup();
      await story.describe();
      await story.fetch();
    },
  },
  {
    name: 'static members live again, are fenced, lead, and are removed by an administrator',
    async tell(story) {
      const one = await story.join({ instanceId: 'one' });
      await story.sync(one, { [one.memberId]: 'all' }, 'one');
      const entering = story.join({ instanceId: 'two' });
      await story.waitFor('PreparingRebalance', 2);
      const first = await story.join({ instanceId: 'one', memberId: one.memberId });
      const two = await entering;
      await story.sync(first, { [first.memberId]: 'left', [two.memberId]: 'right' }, 'one');
      await story.sync(two, {}, 'two');
      const twoAgain = await story.join({ instanceId: 'two' });
      await story.heartbeat(two, 'two');
      await story.heartbeat(two);
      await story.sync(twoAgain, {}, 'two');
      const leading = await story.join({ instanceId: 'one' });
      await story.sync(leading, {}, 'one');
      const followed = await story.join({ instanceId: 'one', version: 8 });
      await story.join({ instanceId: 'one', memberId: leading.memberId });
      await story.join({ instanceId: 'two', topics: ['t', 'u'] });
      await story.describe();
      await story.commit(3, followed);
      await story.leave({ instanceId: 'two' }, { instanceId: 'nobody' }, {});
      await story.waitFor('PreparingRebalance', 1);
      await story.join({ instanceId: 'one' });
      await story.waitFor('CompletingRebalance', 1);
      await story.join({ instanceId: 'one' });
      await story.describe();
    },
  },
  {
    name: 'members that offer several protocols, none in common, or too many members',
    async tell(story) {
      const one = await story.enter({ protocols: ['own', 'range', 'sticky'] });
      await story.sync(one);
      const { memberId } = await story.join({ protocols: ['sticky', 'range'] });
      const entering = story.join({ memberId, protocols: ['sticky', 'range'] });
      await story.waitFor('PreparingRebalance', 2);
      await story.join({ protocols: ['other'] });
      await story.join({ protocols: ['range'], protocolType: 'connect' });
      await story.join({ protocols: [] });
      const again = await story.join({ memberId: one.memberId, protocols: ['sticky', 'own', 'range'] });
      await entering;
      await story.sync(again);
      const third = story.join({ version: 3, protocols: ['range'] });
      await story.waitFor('PreparingRebalance', 3);
      const rejoining = story.join({ memberId: one.memberId, protocols: ['range'] });
      await story.join({ memberId, protocols: ['sticky', 'range'] });
      await Promise.all([third, rejoining]);
      await story.join();
      await story.join({ version: 3 });
      await story.join({ instanceId: 'four' });
      await story.describe();
    },
  },
  {
    name: 'a member that joins twice, changes its mind, or asks with what is not its own',
    async tell(story) {
      const one = await story.enter();
      await story.join({ memberId: one.memberId });
      const changed = await story.join({ memberId: one.memberId, topics: ['u'] });
      await story.sync(one);
      await story.sync(changed, { [one.memberId]: 'all' });
      await story.sync({ ...changed, protocolName: 'sticky' });
      await story.sync({ ...changed, memberId: 'nobody' });
      await story.heartbeat({ ...changed, generationId: 99 });
      const led = await story.join({ memberId: one.memberId });
      await story.sync(led, { [one.memberId]: 'everything' });
      await story.commit(1, led, { topic: 'u', metadata: 'note' });
      await story.commit(1, led, { topic: 't' });
      await story.deleteOffsets('t', 'u', 'none');
      await story.join({ memberId: 'nobody' });
      await story.fetch();
    },
  },
  {
    name: 'an assignment that nobody asks for, and a session that expires',
    async tell(story) {
      const two = await story.enter({ rebalanceTimeoutMs: SHORT_MS });
      await story.waitFor('Empty');
      await story.heartbeat(two);
      await story.describe();
      const one = await story.enter({ sessionTimeoutMs: SESSION_MS });
      await story.sync(one);
      await story.waitFor('Empty');
      await story.heartbeat(one);
    },
  },
  {
    name: 'a consumer without a group',
    async tell(story) {
      await story.commit(1, undefined, { version: 1 });
      await story.commit(2, undefined, { version: 2, metadata: 'm' });
      await story.commit(3, undefined, { topic: 'u' });
      await story.describe();
      await story.list();
      await story.fetch();
      await story.deleteOffsets('t');
      await story.fetch();
      await story.deleteGroup();
      await story.list();
    },
  },
];

test('both brokers tell the same stories', { concurrency: true }, async (t) => {
  await Promise.all(
    stories.map(({ name, tell }, index) =>
      t.test(name, async () => {
        const [theirs, ours] = [apache.port, odradek.kafkaPort].map((port) => new Story(port, `story-${index}`));
        await Promise.all([tell(theirs!), tell(ours!)]);
        assert.deepEqual(ours!.transcript, theirs!.transcript);
        assert.deepEqual(await ours!.records(), await theirs!.records());
      }),
    ),
  );
});
