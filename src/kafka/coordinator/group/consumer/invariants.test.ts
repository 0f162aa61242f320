import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatResponse } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import { ConsumerWorld } from '../testkit/consumer-world.ts';
import type { Pending } from '../testkit/group-world.ts';
import type { DescribedConsumerGroup } from './describe-consumer.ts';

const TOPICS = ['t', 'u', 'v'];
const REGEX = '[tuv]';

type Action =
  | { readonly kind: 'join'; readonly topics: readonly string[] | null; readonly instance: number | undefined }
  | { readonly kind: 'beat' | 'leave' | 'pause' | 'crash' | 'beatAll'; readonly member: number }
  | { readonly kind: 'change'; readonly member: number; readonly topics: readonly string[] }
  | { readonly kind: 'grow' | 'delete'; readonly topic: string }
  | { readonly kind: 'restart' | 'resign' | 'hold' | 'commit' }
  | { readonly kind: 'fail'; readonly errorCode: number; readonly isWritten: boolean }
  | { readonly kind: 'pass'; readonly ms: number };

const member = fc.nat(5);
const topics = fc.subarray(TOPICS, { minLength: 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('join' as const),
      topics: fc.option(topics, { freq: 4, nil: null }),
      instance: fc.option(fc.nat(2), { freq: 1, nil: undefined }),
    }),
  },
  { weight: 24, arbitrary: fc.record({ kind: fc.constantFrom('beat' as const, 'beatAll' as const), member }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'crash' as const, 'pause' as const), member }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), member, topics }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('grow' as const, 'delete' as const),
      topic: fc.constantFrom('u', 'v'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('restart', 'resign', 'hold', 'commit', 'commit')
      .map((kind): Action => ({ kind }) as Action),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        [ErrorCode.REQUEST_TIMED_OUT, true] as const,
        [ErrorCode.NOT_ENOUGH_REPLICAS, false] as const,
        [ErrorCode.UNKNOWN_SERVER_ERROR, true] as const,
        [ErrorCode.KAFKA_STORAGE_ERROR, false] as const,
      )
      .map(([errorCode, isWritten]): Action => ({ kind: 'fail', errorCode, isWritten })),
  },
  { weight: 6, arbitrary: fc.constantFrom(1, 100, 1000).map((ms): Action => ({ kind: 'pass', ms })) },
);

/** A member as its client sees it: it knows only what it was answered. */
class Client {
  readonly id: string;
  readonly instanceId: string | null;
  topics: readonly string[] | null;
  epoch = 0;
  /** Topic id and partition. What it has to give up it has until it says that it gave it up. */
  owned = new Set<string>();
  assigned = new Set<string>();
  isFull = true;
  pending: Pending<ConsumerGroupHeartbeatResponse> | undefined;

  constructor(id: string, topicNames: readonly string[] | null, instanceId: string | null) {
    this.id = id;
    this.topics = topicNames;
    this.instanceId = instanceId;
  }

  beat(world: ConsumerWorld): void {
    if (this.pending !== undefined) return;
    this.owned = new Set(this.assigned);
    const isFull = this.isFull || this.epoch === 0;
    this.pending = world.beat(this.id, {
      memberEpoch: this.epoch,
      instanceId: this.instanceId,
      rebalanceTimeoutMs: isFull ? 30_000 : -1,
      subscribedTopicNames: isFull ? [...(this.topics ?? [])] : null,
      subscribedTopicRegex: isFull ? (this.topics === null ? REGEX : '') : null,
      owned: byTopic(this.owned),
    });
    this.isFull = false;
  }

  /** Reads the answer, if it is there. */
  look(): void {
    const answer = this.pending?.answer;
    if (answer === undefined) return;
    this.pending = undefined;
    switch (answer.errorCode) {
      case ErrorCode.NONE:
        this.epoch = answer.memberEpoch;
        if (answer.assignment !== null) {
          this.assigned = new Set(
            answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
              partitions.map((one) => `${topicId} ${one}`),
            ),
          );
          for (const one of this.assigned) this.owned.add(one);
        }
        return;
      case ErrorCode.FENCED_MEMBER_EPOCH:
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.GROUP_ID_NOT_FOUND:
        this.epoch = 0;
        this.owned.clear();
        this.assigned.clear();
        return;
      default:
        this.isFull = true; // it does not know what has become of what it said
    }
  }
}

function byTopic(owned: ReadonlySet<string>): Record<string, number[]> {
  const topicsOwned: Record<string, number[]> = {};
  for (const one of owned) {
    const [topicId = '', partition] = one.split(' ');
    topicsOwned[topicId] ??= [];
    topicsOwned[topicId].push(Number(partition));
  }
  return topicsOwned;
}

class Play {
  readonly world = new ConsumerWorld();
  #clients: Client[] = [];
  readonly #pendings = new Set<Pending<unknown>>();
  #joined = 0;

  constructor() {
    this.world.image.set('u', 3);
  }

  run(actions: readonly Action[]): void {
    for (const next of actions) {
      this.#do(next);
      this.#check();
    }
    this.#settle();
    this.#checkComplete();
    const before = sorted(this.world.describeConsumers());
    this.world.restart();
    assert.deepEqual(sorted(this.world.describeConsumers()), before, 'the log says what was in memory');
    for (const pending of this.#pendings) assert.equal(pending.count, 1, 'every request is answered once');
  }

  #do(next: Action): void {
    const { world } = this;
    switch (next.kind) {
      case 'join': {
        const instanceId = next.instance === undefined ? null : `i${next.instance}`;
        if (instanceId !== null && this.#clients.some((one) => one.instanceId === instanceId)) return;
        if (this.#clients.length >= 5) return;
        this.#joined += 1;
        this.#clients.push(new Client(`m${this.#joined}`, next.topics, instanceId));
        return;
      }
      case 'beat':
        return this.#with(next.member, (client) => this.#beat(client));
      case 'beatAll':
        for (const client of this.#clients) this.#beat(client);
        return;
      case 'leave':
        return this.#with(next.member, (client) => this.#leave(client, -1));
      case 'pause':
        return this.#with(next.member, (client) => this.#leave(client, client.instanceId === null ? -1 : -2));
      case 'crash':
        return this.#with(next.member, (client) => this.#remove(client));
      case 'change':
        return this.#with(next.member, (client) => {
          client.topics = next.topics;
          client.isFull = true;
        });
      case 'grow':
        world.image.set(next.topic, (world.image.topic(next.topic)?.partitionCount ?? 0) + 1);
        return;
      case 'delete':
        return world.image.delete(next.topic);
      case 'restart':
        world.topic.commit();
        world.coordinator.close();
        return world.restart();
      case 'resign':
        world.topic.commit();
        world.coordinator.onResigned(0);
        return world.electAll();
      case 'hold':
        world.topic.isHeld = true;
        return;
      case 'commit':
        world.topic.isHeld = false;
        return world.topic.commit();
      case 'fail':
        world.topic.failures.push(next);
        return;
      case 'pass':
        return world.run(next.ms);
      default:
        next satisfies never;
    }
  }

  #with(index: number, act: (client: Client) => void): void {
    const client = this.#clients[index % Math.max(1, this.#clients.length)];
    if (client !== undefined) act(client);
  }

  #beat(client: Client): void {
    client.beat(this.world);
    if (client.pending !== undefined) this.#pendings.add(client.pending);
    client.look();
  }

  #leave(client: Client, memberEpoch: number): void {
    this.#remove(client);
    this.#pendings.add(this.world.beat(client.id, { memberEpoch, instanceId: client.instanceId, owned: null }));
  }

  #remove(client: Client): void {
    this.#clients = this.#clients.filter((one) => one !== client);
  }

  #check(): void {
    const owners = new Map<string, string>();
    for (const client of this.#clients) {
      client.look();
      for (const one of client.owned) {
        assert.equal(owners.get(one), undefined, `${one} belongs to ${client.id} and to ${owners.get(one)}`);
        owners.set(one, client.id);
      }
    }
  }

  /** Nothing fails any more, nobody comes or goes, and who is gone is found out. */
  #settle(): void {
    const { world } = this;
    world.topic.isHeld = false;
    world.topic.failures.length = 0;
    world.topic.commit();
    for (let round = 0; round < 80; round += 1) {
      for (const client of this.#clients) this.#beat(client);
      this.#check();
      world.run(1000);
    }
  }

  #checkComplete(): void {
    const wanted = new Set<string>();
    for (const client of this.#clients) {
      assert.notEqual(client.epoch, 0, 'everybody is in');
      for (const name of client.topics ?? TOPICS) {
        const topic = this.world.image.topic(name);
        for (let one = 0; one < (topic?.partitionCount ?? 0); one += 1) wanted.add(`${topic?.id} ${one}`);
      }
    }
    const owned = this.#clients.flatMap((client) => [...client.owned]);
    assert.deepEqual(owned.sort(), [...wanted].sort(), 'all that is subscribed to belongs to somebody');
    for (const client of this.#clients) {
      for (const one of client.owned) {
        const name = this.world.image.nameOf(one.split(' ')[0] ?? '');
        assert.ok(name !== undefined && (client.topics ?? TOPICS).includes(name), 'nobody has what it does not want');
      }
    }
    const state = this.world.describeConsumers().groupState;
    if (this.#clients.length > 0) assert.equal(state, 'Stable');
  }
}

/** Without order, as maps have none. */
function sorted(group: DescribedConsumerGroup): unknown {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(sort).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sort(item)]));
  };
  return sort(group);
}

test('no partition ever belongs to two members, in the end all are assigned, and replay gives what memory had', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: 'max' }), (actions) => new Play().run(actions)),
    { numRuns: 300, seed: 848 },
  );
});
