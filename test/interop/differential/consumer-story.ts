/** One group of the consumer protocol on one broker: what is asked, what is answered, and what the broker writes of it. */
import { flatten, type Slices } from '../../../src/base/slices.ts';
import { decodeRecord } from '../../../src/kafka/coordinator/group/group-records.ts';
import { partitionFor } from '../../../src/kafka/coordinator/partition-for.ts';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../../src/kafka/protocol/records/consumer-protocol.ts';
import { readVersioned, writeVersioned } from '../../../src/kafka/protocol/records/versioned.ts';
import { allRecordsOf } from '../../../src/kafka/records/iterate.ts';
import { build } from '../../../src/wire/schema.ts';
import { PeerError, until } from '../peers/process.ts';
import { configureGroup } from './group-configs.ts';
import { type Answer, ask } from './raw-client.ts';

export const OFFSETS_PARTITIONS = 3;

export interface Beat {
  readonly epoch?: number;
  readonly version?: number;
  readonly instanceId?: string;
  readonly rackId?: string;
  readonly topics?: readonly string[] | null;
  readonly regex?: string | null;
  readonly assignor?: string;
  readonly rebalanceTimeoutMs?: number;
  /** Partitions by topic that the member says it has; null: it does not say. */
  readonly owned?: Readonly<Record<string, readonly number[]>> | null;
  readonly group?: string;
}

export interface Joining {
  readonly memberId?: string;
  readonly instanceId?: string;
  readonly version?: number;
  readonly topics?: readonly string[];
  readonly owned?: Readonly<Record<string, readonly number[]>>;
  readonly protocols?: readonly string[];
  readonly protocolType?: string;
  readonly rebalanceTimeoutMs?: number;
}

export interface Beaten extends Answer {
  readonly errorCode: number;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly assignment: unknown;
}

export interface Joined extends Answer {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string;
  readonly protocolName: string;
}

/** Answers of one kind become other text on each broker: names for random ids, in the order of their appearance. */
const RANDOM_ID = /^(?:(?:.+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9_-]{22})$/;

export class ConsumerStory {
  readonly group: string;
  readonly port: number;
  readonly #answers: { readonly what: string; answer: unknown }[] = [];
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  constructor(port: number, group: string) {
    this.port = port;
    this.group = group;
  }

  get transcript(): readonly unknown[] {
    return this.#answers.map(({ what, answer }) => [what, this.named(answer)]);
  }

  async learnTopics(isOurs = (_name: string): boolean => true): Promise<void> {
    const answer = (await ask(this.port, 3, 12, { topics: null })) as { topics?: { name: string; topicId: string }[] };
    for (const { name, topicId } of answer.topics ?? []) {
      if (!isOurs(name)) continue;
      this.#ids.set(name, topicId);
      this.#names.set(topicId, `id of ${name}`);
    }
  }

  topicId(name: string): string {
    const id = this.#ids.get(name);
    if (id === undefined) throw new PeerError(`no topic ${name}`);
    return id;
  }

  /** Which versions of which requests were compared. */
  readonly spoken = new Map<number, Set<number>>();

  async tell(what: string, apiKey: number, version: number, fields: object): Promise<Answer> {
    const told: { what: string; answer: unknown } = { what, answer: undefined };
    this.#answers.push(told);
    this.spoken.set(apiKey, (this.spoken.get(apiKey) ?? new Set()).add(version));
    told.answer = await ask(this.port, apiKey, version, fields);
    return told.answer as Answer;
  }

  /** What was seen otherwise. */
  note(what: string, answer: unknown): void {
    this.#answers.push({ what, answer });
  }

  /** What is random is told by its order; what has no order is sorted. */
  named(value: unknown): unknown {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (typeof value === 'bigint') return String(value);
    if (Array.isArray(value)) {
      const items = value.map((item) => this.named(item));
      return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.named(item)]));
    }
    return typeof value === 'string' ? this.#name(value) : value;
  }

  #name(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (!RANDOM_ID.test(text)) {
      // Ids within a sentence.
      let sentence = text;
      for (const [id, name] of this.#names) if (text.length > id.length) sentence = sentence.replaceAll(id, name);
      return sentence;
    }
    const name = `id #${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  configure(values: Readonly<Record<string, string>>): Promise<void> {
    return configureGroup(this.port, this.group, values);
  }

  // ---- the consumer protocol

  async beat(memberId: string, given: Beat = {}): Promise<Beaten> {
    const { epoch = 0, version = 1, topics = epoch === 0 ? ['t'] : null, regex = null } = given;
    const owned = given.owned === undefined ? (epoch === 0 ? {} : null) : given.owned;
    return (await this.tell('beat', 68, version, {
      groupId: given.group ?? this.group,
      memberId,
      memberEpoch: epoch,
      instanceId: given.instanceId ?? null,
      rackId: given.rackId ?? null,
      rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? (epoch === 0 ? 60_000 : -1),
      subscribedTopicNames: topics,
      subscribedTopicRegex: regex,
      serverAssignor: given.assignor ?? null,
      topicPartitions:
        owned && Object.entries(owned).map(([name, partitions]) => ({ topicId: this.topicId(name), partitions })),
    })) as Beaten;
  }

  /**
   * A heartbeat that says nothing new until it is told of an assignment or an epoch; only the last answer counts.
   * @throws PeerError when it is refused, since then nothing was waited for
   */
  async beatUntil(memberId: string, epoch: number, isDone: (answer: Beaten) => boolean): Promise<Beaten> {
    const fields = { groupId: this.group, memberId, memberEpoch: epoch };
    const answer = await until(`${memberId} is told something`, async () => {
      const told = (await ask(this.port, 68, 1, fields)) as Beaten;
      if (told.errorCode !== 0) throw new PeerError(`${memberId} is refused: ${told.errorCode} ${told.errorMessage}`);
      return isDone(told) ? told : undefined;
    });
    this.#answers.push({ what: 'beat until', answer });
    return answer;
  }

  /** A heartbeat that says nothing new and is told nothing. */
  async beatAgain(memberId: string, epoch: number): Promise<void> {
    const told = (await ask(this.port, 68, 1, { groupId: this.group, memberId, memberEpoch: epoch })) as Beaten;
    if (told.errorCode !== 0) throw new PeerError(`${memberId} is refused: ${told.errorCode} ${told.errorMessage}`);
  }

  describe(version = 1) {
    return this.tell('describe', 69, version, { groupIds: [this.group], includeAuthorizedOperations: true });
  }

  describeClassic(version = 6) {
    return this.tell('describe classic', 15, version, { groups: [this.group] });
  }

  async list(states: string[] = [], types: string[] = []): Promise<void> {
    const filters = { statesFilter: states, typesFilter: types };
    const answer = (await ask(this.port, 16, 5, filters)) as { groups: { groupId: string }[] };
    this.#answers.push({ what: 'list', answer: answer.groups.filter(({ groupId }) => groupId === this.group) });
  }

  commit(memberId: string, epoch: number, partition = 0, version = 10, topic = 't') {
    const committed = {
      partitionIndex: partition,
      committedOffset: 7,
      committedLeaderEpoch: -1,
      commitTimestamp: -1,
      committedMetadata: '',
    };
    return this.tell('commit', 8, version, {
      groupId: this.group,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [
        version >= 10
          ? { name: '', topicId: this.topicId(topic), partitions: [committed] }
          : { name: topic, topicId: '', partitions: [committed] },
      ],
    });
  }

  fetch(memberId: string | null = null, epoch = -1) {
    const topics = [{ name: '', topicId: this.topicId('t'), partitionIndexes: [0, 1] }];
    const groups = [{ groupId: this.group, memberId, memberEpoch: epoch, topics }];
    return this.tell('fetch', 9, 10, { groups, requireStable: true });
  }

  deleteGroup() {
    return this.tell('delete', 42, 3, { groupsNames: [this.group] });
  }

  deleteOffsets(...topics: string[]) {
    return this.tell('delete offsets', 47, 0, {
      groupId: this.group,
      topics: topics.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
    });
  }

  /** Until the group has so many members, or is gone. */
  async waitForMembers(count: number): Promise<void> {
    await until(`${this.group} has ${count} members`, async () => {
      const answer = (await ask(this.port, 69, 0, { groupIds: [this.group] })) as { groups: { members: unknown[] }[] };
      return answer.groups[0]?.members.length === count ? true : undefined;
    });
  }

  // ---- the classic protocol

  async join(given: Joining = {}): Promise<Joined> {
    const { memberId = '', instanceId = null, version = 9, topics = ['t'], protocols = ['range'], owned = {} } = given;
    const subscription = build(ConsumerProtocolSubscription, {
      topics: [...topics],
      ownedPartitions: Object.entries(owned).map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
    });
    const fields = {
      groupId: this.group,
      memberId,
      groupInstanceId: instanceId,
      protocolType: given.protocolType ?? 'consumer',
      protocols: protocols.map((name) => ({
        name,
        metadata: writeVersioned(ConsumerProtocolSubscription, 3, subscription),
      })),
      sessionTimeoutMs: 60_000,
      rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? 60_000,
    };
    return (await this.tell('join', 11, version, fields)) as Joined;
  }

  async enter(given: Joining = {}): Promise<Joined> {
    const { memberId } = await this.join(given);
    return this.join({ ...given, memberId });
  }

  async sync(member: Joined, assignments: Readonly<Record<string, Uint8Array>> = {}, instanceId: string | null = null) {
    const { assignment, ...answer } = await ask14(this.port, {
      groupId: this.group,
      generationId: member.generationId,
      memberId: member.memberId,
      groupInstanceId: instanceId,
      protocolType: member.protocolType,
      protocolName: member.protocolName,
      assignments: Object.entries(assignments).map(([id, part]) => ({ memberId: id, assignment: part })),
    });
    const read = assignment.length > 0 ? readVersioned(ConsumerProtocolAssignment, assignment) : null;
    this.#answers.push({ what: 'sync', answer: { ...answer, assignment: read } });
  }

  heartbeat(member: Joined, instanceId: string | null = null) {
    const { memberId, generationId } = member;
    return this.tell('heartbeat', 12, 4, { groupId: this.group, memberId, generationId, groupInstanceId: instanceId });
  }

  leave(...members: { memberId?: string; instanceId?: string }[]) {
    return this.tell('leave', 13, 5, {
      groupId: this.group,
      members: members.map(({ memberId = '', instanceId = null }) => ({
        memberId,
        groupInstanceId: instanceId,
        reason: 'why',
      })),
    });
  }

  async waitForClassic(state: string): Promise<void> {
    await until(`${this.group} is classic and ${state}`, async () => {
      const answer = (await ask(this.port, 15, 0, { groups: [this.group] })) as { groups: { groupState: string }[] };
      return answer.groups[0]?.groupState === state ? true : undefined;
    });
  }

  // ---- records

  /** What the broker has written of the group, batch by batch; within a batch by kind and member. */
  async records(): Promise<readonly unknown[]> {
    const partition = partitionFor(this.group, OFFSETS_PARTITIONS);
    const wanted = { partition, fetchOffset: 0, partitionMaxBytes: 10_000_000, logStartOffset: -1 };
    const answer = (await ask(this.port, 1, 4, {
      replicaId: -1,
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 10_000_000,
      topics: [{ topic: '__consumer_offsets', topicId: '', partitions: [wanted] }],
    })) as unknown as { responses: { partitions: { records: Slices }[] }[] };
    const found: { readonly kind: string; readonly record: unknown }[] = [];
    for (const { key, value } of allRecordsOf(flatten(answer.responses[0]!.partitions[0]!.records))) {
      const record = decodeRecord(key!, value);
      if (record?.group !== this.group) continue;
      // 4.x announces a new classic group before it has a generation; 3.9 does not.
      if (record.kind === 'metadata' && record.value?.generation === 0) continue;
      // 4.x stores the topic id beside an offset, in a version that 3.9 cannot read.
      const version = value === null || record.kind === 'offset' ? null : Buffer.from(value).readInt16BE(0);
      found.push({ kind: record.kind, record: [version, comparable(this.named(record))] });
    }
    return sortedRuns(found);
  }
}

async function ask14(port: number, fields: object): Promise<Answer & { assignment: Uint8Array }> {
  return (await ask(port, 14, 5, fields)) as Answer & { assignment: Uint8Array };
}

/** Only whether they are set: times, and hashes and versions, into which ids and times go. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, item) => {
    if (key === 'metadataHash') return item === '0' ? '0' : 'set';
    return (/timestamp/i.test(key) || key === 'version') && typeof item === 'number' ? Math.sign(item) : item;
  });
}

/** Java's tables put records of one kind beside each other in an order that hangs on random ids. */
function sortedRuns(records: readonly { readonly kind: string; readonly record: unknown }[]): unknown[] {
  const runs: { readonly kind: string; readonly records: unknown[] }[] = [];
  for (const { kind, record } of records) {
    const run = runs.at(-1);
    if (run?.kind === kind) run.records.push(record);
    else runs.push({ kind, records: [record] });
  }
  return runs.flatMap((run) => run.records.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
}
