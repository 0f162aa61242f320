/** Stories about share groups: what a state is, who gets which records, who is in a group. */
import { until } from '../peers/process.ts';
import type { Line, Teller } from './share-teller.ts';

const A = 'AAAAAAAAAAAAAAAAAAAAAQ';
const B = 'AAAAAAAAAAAAAAAAAAAAAg';
/** Who is only there. */
const C = 'AAAAAAAAAAAAAAAAAAAAAw';
const UNKNOWN_TOPIC = 'AAAAAAAAAAAAAAAAAAAABA';

type Fields = Record<string, unknown>;
type Numbers = readonly number[];

const batches = (all: readonly Numbers[]): object[] =>
  all.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => ({ firstOffset, lastOffset, acknowledgeTypes }));

export async function tellOfState(teller: Teller): Promise<void> {
  await teller.begin(2);
  const asks: [string, number, number, Fields][] = [
    ['initialize', 83, 0, { stateEpoch: 0, startOffset: 0 }],
    ['read', 84, 0, { leaderEpoch: 0 }],
    ['write', 85, 1, { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: 0, stateBatches: [] }],
    ['summary', 87, 1, { leaderEpoch: 0 }],
    ['delete', 86, 0, {}],
  ];
  const ask = async (
    what: string,
    fields: Fields = {},
    over: Fields = {},
    partitions: Numbers = [0],
  ): Promise<void> => {
    const [name, apiKey, version, usual] = asks.find(([one]) => one === what)!;
    const request = teller.ofPartitions(partitions, { ...usual, ...fields }, over);
    const step = `${name} ${JSON.stringify(fields)} ${JSON.stringify(partitions)} ${over.topicId ?? ''}`;
    teller.tell(step, await teller.ask(apiKey, version, request));
  };
  for (const what of ['read', 'write', 'summary', 'delete']) {
    await ask(what);
    await ask(what, {}, {}, [-1]);
    await ask(what, {}, {}, [9]);
    await ask(what, {}, { topicId: UNKNOWN_TOPIC });
    teller.tell(
      `${what} of no group`,
      await teller.ask(asks.find(([one]) => one === what)![1], 0, { groupId: '', topics: [] }),
    );
  }
  await ask('initialize', {}, {}, [-1]);
  await ask('initialize', {}, { topicId: UNKNOWN_TOPIC });
  await ask('initialize', { stateEpoch: -1 });
  await ask('initialize', { stateEpoch: 3, startOffset: 5 });
  await ask('initialize', { stateEpoch: 2 });
  await ask('summary');
  await ask('read', { leaderEpoch: -1 });
  await ask('read', { leaderEpoch: 2 });
  await ask('read', { leaderEpoch: 1 });
  await ask('write', { stateEpoch: 2, leaderEpoch: 2 });
  const stateBatches = ([...all]: Numbers[]): object[] =>
    all.map(([firstOffset, lastOffset, deliveryState, deliveryCount]) => ({
      firstOffset,
      lastOffset,
      deliveryState,
      deliveryCount,
    }));
  const first = stateBatches([
    [7, 9, 2, 1],
    [10, 12, 0, 1],
  ]);
  await ask('write', { stateEpoch: 4, leaderEpoch: 2, startOffset: 7, deliveryCompleteCount: 3, stateBatches: first });
  await ask('summary');
  await ask('write', { stateEpoch: 3, leaderEpoch: 1 });
  const second = stateBatches([
    [8, 8, 4, 3],
    [5, 6, 0, 1],
    [11, 14, 0, 2],
    [15, 15, 0, 2],
  ]);
  await ask('write', { stateEpoch: 4, leaderEpoch: 3, startOffset: 6, deliveryCompleteCount: 1, stateBatches: second });
  await ask('read', { leaderEpoch: 3 });
  await ask('summary');
  await ask('initialize', { stateEpoch: 5, startOffset: 20 });
  await ask('read', { leaderEpoch: 4 });
  await ask('initialize', { stateEpoch: 6, startOffset: -1 });
  await ask('summary');
  await ask('delete');
  await ask('read', { leaderEpoch: 0 });
}

interface Asking extends Fields {
  readonly member?: string | null;
  readonly partitions?: Numbers;
  readonly acks?: readonly Numbers[];
  readonly topicId?: string;
}

class Deliveries {
  readonly #teller: Teller;
  readonly #fetchVersion: number;

  constructor(teller: Teller, fetchVersion = 2) {
    this.#teller = teller;
    this.#fetchVersion = fetchVersion;
  }

  #topics({ partitions = [0], acks = [], topicId = this.#teller.topicId }: Asking): object[] {
    const acknowledgementBatches = batches(acks);
    return [{ topicId, partitions: partitions.map((partitionIndex) => ({ partitionIndex, acknowledgementBatches })) }];
  }

  #fetchRequest(shareSessionEpoch: number, asking: Asking): Fields {
    const { member = A, partitions, acks, topicId, ...over } = asking;
    const topics = asking.partitions?.length === 0 ? [] : this.#topics(asking);
    const usual = { groupId: this.#teller.group, memberId: member, maxWaitMs: 200, minBytes: 1, maxBytes: 1 << 20 };
    return { ...usual, shareSessionEpoch, maxRecords: 500, batchSize: 500, topics, ...over };
  }

  async fetch(line: Line, shareSessionEpoch: number, asking: Asking = {}): Promise<void> {
    this.#teller.tell(
      `fetch ${shareSessionEpoch} ${JSON.stringify(asking)}`,
      await line.ask(78, this.#fetchVersion, this.#fetchRequest(shareSessionEpoch, asking)),
    );
  }

  /** A first fetch, again and again until it acquires something: what others release is stored, and then comes free at once. */
  async fetchReleased(line: Line, asking: Asking = {}): Promise<void> {
    const answer = await until(`what others held of ${this.#teller.topic}`, async () => {
      const told = await line.ask(78, this.#fetchVersion, this.#fetchRequest(0, asking));
      return told.errorCode !== 0 || told.responses[0]?.partitions[0].acquiredRecords.length > 0 ? told : undefined;
    });
    this.#teller.tell(`fetch ${JSON.stringify(asking)} until it acquires`, answer);
  }

  /**
   * A broker that has just started takes longer for its first answer than anybody waits, and says less in it. While the line is open the
   * group has a session: Apache’s broker forgets the group’s share partitions with the last, while what it held is still being stored.
   */
  async warmUp(): Promise<Line> {
    const { port, topic } = this.#teller;
    const line = this.#teller.line();
    await until(`share partitions of ${topic} at ${port}`, async () => {
      const { responses } = await line.ask(78, this.#fetchVersion, this.#fetchRequest(0, { member: C }));
      return responses.length > 0 ? true : undefined;
    });
    return line;
  }

  async acknowledge(
    line: Line,
    epoch: number,
    acks: readonly Numbers[],
    asking: Asking = {},
    version = 2,
  ): Promise<void> {
    const { member = A, partitions, topicId, ...over } = asking;
    const topics = this.#topics({ ...asking, acks });
    const request = { groupId: this.#teller.group, memberId: member, shareSessionEpoch: epoch, topics, ...over };
    const step = `acknowledge ${epoch} ${JSON.stringify(acks)} ${JSON.stringify(asking)}`;
    this.#teller.tell(step, await line.ask(79, version, request));
  }
}

export async function tellOfDeliveries(teller: Teller): Promise<void> {
  await teller.begin(2);
  await teller.ask(83, 0, teller.ofPartitions([0, 1], { stateEpoch: 0, startOffset: 0 }));
  const says = new Deliveries(teller);
  const quiet = await says.warmUp();
  const none = { partitions: [] };
  const summary = async (partition = 0): Promise<void> => teller.tell('summary', await teller.summary(partition));
  const a = teller.line();
  const b = teller.line();
  await says.fetch(a, 3);
  await says.acknowledge(a, 3, []);
  await says.fetch(a, 0, { member: 'any text' });
  await says.fetch(a, 0, { member: null });
  await says.fetch(a, 0, { groupId: null });
  await says.fetch(a, 0, { acks: [[0, 0, 1]] });
  await says.acknowledge(a, 0, [[0, 0, 1]]);
  await says.fetch(a, -1);
  await says.fetch(a, 0, { maxRecords: 0 });
  await says.fetch(a, 0, { shareAcquireMode: 7 });
  await says.fetch(a, 0, { topicId: UNKNOWN_TOPIC });
  await says.fetch(a, 0, { partitions: [9] });
  await says.fetch(a, 0, none);
  await says.fetch(a, 1, none);
  await teller.produce(3, 4);
  await says.fetch(a, 0);
  await says.fetch(a, 5, none);
  await says.fetch(a, 1, none);
  await says.fetch(b, 0, { member: B });
  await says.acknowledge(b, 1, [[0, 2, 1]], { member: B });
  await says.acknowledge(a, 2, [[0, 2, 1]]);
  await summary();
  await says.acknowledge(a, 3, [[0, 2, 1]]);
  await says.acknowledge(a, 4, [[3, 7, 2, 1, 3, 0, 2]]);
  await summary();
  const bad = [
    [[8, 9, 1, 1, 1]],
    [[8, 8, 7]],
    [[8, 8, -1]],
    [[9, 8, 1]],
    [
      [9, 9, 1],
      [8, 8, 1],
    ],
    [[9, 9]],
    [[11, 14, 1]],
    [[20, 24, 1]],
    [[8, 8, 4]],
  ];
  for (const [index, acks] of bad.entries()) await says.acknowledge(a, 5 + index, acks);
  await says.acknowledge(a, 14, [[8, 8, 4]], { isRenewAck: true });
  await says.acknowledge(a, 15, [[8, 8, 4]], {}, 1);
  await says.acknowledge(a, 16, [[8, 8, 1]], { partitions: [9] });
  await says.acknowledge(a, 17, [[8, 8, 1]], { topicId: UNKNOWN_TOPIC });
  await says.acknowledge(a, 18, [[8, 8, 1]], { partitions: [1] });
  await says.acknowledge(a, 19, [[3, 3, 1]]);
  await says.fetch(b, 2, { member: B, partitions: [] });
  await says.fetch(b, 3, { member: B, acks: [[3, 3, 1]] });
  await says.fetch(b, 4, {
    member: B,
    acks: [
      [3, 3, 1],
      [7, 8, 1],
    ],
  });
  const nothing = { maxRecords: 0, maxBytes: 0, maxWaitMs: 0, minBytes: 0 };
  await says.fetch(b, -1, { member: B, acks: [[7, 7, 2]], ...nothing });
  await says.fetch(a, 20, none);
  await says.fetch(a, 21, { acks: [[8, 8, 4]], isRenewAck: true, ...nothing });
  await says.fetch(a, 22, { acks: [[8, 8, 4]], isRenewAck: true });
  await says.acknowledge(a, -1, [[8, 8, 1]]);
  await summary();
  await says.acknowledge(a, 23, [[8, 8, 1]]);
  for (const line of [a, b, quiet]) line.close();
}

export async function tellOfFailures(teller: Teller, fetchVersion = 2): Promise<void> {
  await teller.begin(2);
  await teller.ask(83, 0, teller.ofPartitions([0, 1], { stateEpoch: 0, startOffset: 0 }));
  const says = new Deliveries(teller, fetchVersion);
  const quiet = await says.warmUp();
  const none = { partitions: [] };
  const a = teller.line();
  await says.fetch(a, 0, { member: B });
  await teller.produce(5, 2);
  await says.fetch(a, 1, { ...none, member: B, maxRecords: 3 });
  await says.fetch(a, 2, { ...none, member: B, maxRecords: 3 });
  a.close();
  const b = teller.line();
  await says.fetchReleased(b);
  await says.acknowledge(b, 1, [[0, 9, 2]]);
  await says.fetch(b, 2, none);
  await says.acknowledge(b, 3, [[0, 6, 2]]);
  await says.fetch(b, 4, none);
  await says.acknowledge(b, 5, [[0, 0, 2]]);
  await says.fetch(b, 6, none);
  await teller.produce(5, 3);
  await says.fetch(b, 7, { ...none, maxRecords: 7, shareAcquireMode: 1 });
  await says.fetch(b, 8, { ...none, maxRecords: 7, shareAcquireMode: 1 });
  await says.fetch(b, 9, none);
  await says.fetch(b, 10, { ...none, maxRecords: 7, shareAcquireMode: 1 });
  await teller.produce(3, 4);
  await says.fetch(b, 11, { ...none, batchSize: 5 });
  await says.fetch(b, 12, { acks: [[10, 10, 4]] });
  await says.fetch(b, 13, { acks: [[10, 10, 1]] });
  await says.fetch(b, 14, { ...none, forgottenTopicsData: [{ topicId: teller.topicId, partitions: [0] }] });
  await says.fetch(b, -1, none);
  // What a session forgot comes back later, but with the last session the group is forgotten: what is stored is read again.
  await teller.leave(b, quiet);
  const c = teller.line();
  await says.fetchReleased(c, { member: B });
  teller.tell('state', await teller.ask(84, 0, teller.ofPartitions([0], { leaderEpoch: 100 })));
  c.close();
}

export async function tellOfMembers(teller: Teller): Promise<void> {
  const { group, topic } = teller;
  await teller.begin(3);
  const beat = async (
    memberId: string,
    memberEpoch: number,
    subscribedTopicNames: string[] | null = null,
    over: Fields = {},
  ): Promise<void> => {
    const request = { groupId: group, memberId, memberEpoch, rackId: null, subscribedTopicNames, ...over };
    const answer = await teller.ask(76, 1, request);
    // Who gets which of them depends on the order of Java's hash tables.
    const counts = answer.assignment?.topicPartitions.map(
      ({ partitions }: { partitions: Numbers }) => partitions.length,
    );
    teller.tell(`beat ${memberId} ${memberEpoch} ${JSON.stringify(over)}`, { ...answer, assignment: counts ?? null });
  };
  const describe = async (): Promise<void> =>
    teller.tell('describe', await teller.ask(77, 1, { groupIds: [group], includeAuthorizedOperations: false }));
  await beat(A, 0, [topic], { groupId: '' });
  await beat('', 0, [topic]);
  await beat(A, 0, null);
  await beat(A, 0, []);
  await beat(A, -2, [topic]);
  await beat(A, 0, [topic], { rackId: '' });
  await beat(A, 5);
  await beat(A, -1);
  await describe();
  await beat(A, 0, [topic]);
  await beat(A, 1);
  await teller.initialised(3);
  await beat(A, 2);
  for (const epoch of [3, 2, 1, 4]) await beat(A, epoch);
  await beat(A, 3, [topic]);
  await describe();
  teller.tell('list', await teller.ask(16, 5, { statesFilter: [], typesFilter: ['share'] }));
  teller.tell('delete', await teller.ask(42, 2, { groupsNames: [group] }));
  const partitions = [{ partitionIndex: 0, startOffset: 2 }];
  const alter = { groupId: group, topics: [{ topicName: topic, partitions }] };
  teller.tell('alter', await teller.ask(91, 0, alter));
  teller.tell('delete offsets', await teller.ask(92, 0, { groupId: group, topics: [{ topicName: topic }] }));
  teller.tell('offsets', await teller.ask(90, 1, { groups: [{ groupId: group, topics: null }] }));
  await teller.configure({ 'share.assignment.interval.ms': '60000' });
  await beat(B, 0, [topic]);
  await beat(A, 3);
  await describe();
  await teller.configure({ 'share.assignment.interval.ms': '0' });
  await beat(B, 3);
  await beat(A, 3);
  await beat(B, -1);
  await beat(A, 0, [topic]);
  await beat(A, -1);
  await describe();
  teller.tell('alter', await teller.ask(91, 0, alter));
  teller.tell('offsets', await teller.ask(90, 1, { groups: [{ groupId: group, topics: null }] }));
  teller.tell('delete offsets', await teller.ask(92, 0, { groupId: group, topics: [{ topicName: topic }] }));
  teller.tell('delete offsets', await teller.ask(92, 0, { groupId: group, topics: [{ topicName: topic }] }));
  teller.tell('offsets', await teller.ask(90, 0, { groups: [{ groupId: group, topics: null }] }));
  teller.tell('delete', await teller.ask(42, 2, { groupsNames: [group] }));
  await describe();
}
