/** What administrators do one after the other, told to two brokers: their answers, and the znodes that they leave. */
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/client.ts';
import { until } from '../peers/process.ts';
import { normalise } from './normalise.ts';
import { type Answer, ask } from './raw-client.ts';

export interface StorySide {
  readonly port: number;
  /** ZooKeeper, with the cluster's chroot. */
  readonly zookeeper: string;
}

/** A broker that is told a story, and what was heard of it. */
class Listener {
  readonly #port: number;
  readonly #zk: ZookeeperClient;
  readonly transcript: unknown[] = [];

  constructor({ port, zookeeper }: StorySide) {
    this.#port = port;
    this.#zk = connectZookeeper(nodeRuntime(), { connect: zookeeper, sessionTimeoutMs: 30_000 });
  }

  async ask(apiKey: number, version: number, fields: object): Promise<Answer> {
    const answer = await ask(this.#port, apiKey, version, fields);
    this.transcript.push([apiKey, version, normalise(answer)]);
    return answer as Answer;
  }

  /** What a node holds, without what is each cluster's own. */
  async read(path: string): Promise<void> {
    const { data, stat } = await this.#zk.getData(path);
    const value = JSON.parse(String(data).replace(/"topic_id":"[\w-]{22}"/, '"topic_id":"<id>"'));
    this.transcript.push([path, value, stat.version]);
  }

  async children(path: string): Promise<void> {
    this.transcript.push([path, (await this.#zk.getChildren(path)).sort()]);
  }

  async write(path: string, value: object): Promise<void> {
    await this.#zk.create(path, JSON.stringify(value));
  }

  async gone(path: string): Promise<void> {
    await until(`${path} is gone`, async () => ((await this.#zk.exists(path)) === undefined ? true : undefined));
  }

  async brokerEpoch(): Promise<number> {
    return Number((await this.#zk.getData('/brokers/ids/0')).stat.czxid);
  }

  async create(
    name: string,
    replicas: readonly (readonly number[])[],
    { configs = [], timeoutMs = 60_000 }: { configs?: object[]; timeoutMs?: number } = {},
  ): Promise<void> {
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs };
    await this.ask(19, 4, { timeoutMs, topics: [topic] });
  }

  async produce(name: string, count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, index) => ({
      timestamp: 1_700_000_000_000 + index,
      key: Buffer.from('k'),
      value: Buffer.from(`${index}`),
    }));
    const partitionData = [{ index: 0, records: buildBatch({ records }) }];
    await this.ask(0, 7, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name, topicId: ZERO_UUID, partitionData }],
    });
  }

  describe(name: string): Promise<Answer> {
    return this.ask(3, 9, { topics: [{ name, topicId: ZERO_UUID }], allowAutoTopicCreation: false });
  }

  /** A controller answers before all brokers know what it has decided. */
  async led(name: string, leaderEpoch: number): Promise<void> {
    const topics = [{ name, topicId: ZERO_UUID }];
    await until(`epoch ${leaderEpoch} of ${name}`, async () => {
      const answer = await ask(this.#port, 3, 9, { topics, allowAutoTopicCreation: false });
      const [topic] = (answer as unknown as Described).topics;
      return topic?.partitions[0]?.leaderEpoch === leaderEpoch ? true : undefined;
    });
  }

  close(): Promise<void> {
    return this.#zk.close();
  }
}

interface Described {
  readonly topics: readonly { readonly partitions: readonly { readonly leaderEpoch: number }[] }[];
}

interface Story {
  readonly name: string;
  readonly tell: (listener: Listener) => Promise<void>;
}

const deletion = (name: string, offset: number): object => ({
  timeoutMs: 30_000,
  topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }],
});
const move = (name: string, replicas: readonly number[] | null): object => ({
  timeoutMs: 30_000,
  topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }],
});
const election = (name: string, electionType: number): object => ({
  electionType,
  topicPartitions: [{ topic: name, partitions: [0] }],
  timeoutMs: 30_000,
});

const records: Story = {
  name: 'records are deleted, epochs begin and end, and a compacted topic keeps what it has',
  async tell(listener) {
    await listener.create('records', [[0]]);
    await listener.create('compacted', [[0]], { configs: [{ name: 'cleanup.policy', value: 'compact' }] });
    await listener.produce('records', 3);
    await listener.produce('compacted', 2);
    for (const offset of [1, 0, 4, -2]) await listener.ask(21, 2, deletion('records', offset));
    await listener.ask(21, 2, deletion('compacted', 1));
    await listener.ask(45, 0, move('records', [0]));
    await listener.led('records', 1);
    await listener.describe('records');
    await listener.produce('records', 2);
    for (const [currentLeaderEpoch, leaderEpoch] of [
      [-1, 0],
      [-1, 1],
      [-1, 2],
      [0, 0],
      [1, 0],
      [2, 0],
    ] as const) {
      const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }];
      await listener.ask(23, 4, { replicaId: -1, topics: [{ topic: 'records', partitions }] });
    }
    await listener.ask(21, 0, deletion('records', -1));
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -2, maxNumOffsets: 1 }];
    await listener.ask(2, 5, { replicaId: -1, topics: [{ name: 'records', partitions }] });
    await listener.read('/brokers/topics/records/partitions/0/state');
  },
};

const leaders: Story = {
  name: 'leaders are elected, partitions leave dead brokers, and tools ask below /admin',
  async tell(listener) {
    await listener.create('preferred', [[9, 0]]);
    await listener.create('old-tool', [[9, 0]]);
    await listener.create('here', [[0]]);
    await listener.ask(43, 2, election('preferred', 0));
    await listener.ask(43, 2, election('preferred', 1));
    const asked = [{ topic: 'old-tool', partition: 0 }];
    await listener.write('/admin/preferred_replica_election', { version: 1, partitions: asked });
    await listener.gone('/admin/preferred_replica_election');
    for (const replicas of [null, [0, 7], [0, 0], [-1], [], [0, 9], [0]]) {
      await listener.ask(45, 0, move('preferred', replicas));
      await listener.ask(46, 0, { timeoutMs: 1000, topics: null });
      await listener.read('/brokers/topics/preferred');
      await listener.read('/brokers/topics/preferred/partitions/0/state');
    }
    const moved = [{ topic: 'old-tool', partition: 0, replicas: [0] }];
    await listener.write('/admin/reassign_partitions', { version: 1, partitions: moved });
    await listener.gone('/admin/reassign_partitions');
    await listener.read('/brokers/topics/old-tool');
    await listener.read('/brokers/topics/old-tool/partitions/0/state');
    await listener.led('preferred', 2);
    await listener.describe('preferred');
    await listener.ask(43, 2, election('preferred', 0));
    await listener.ask(20, 4, { topicNames: ['preferred', 'old-tool', 'here'], timeoutMs: 60_000 });
  },
};

const isr: Story = {
  name: 'a leader changes its in-sync replicas, and a broker asks for producer ids',
  async tell(listener) {
    await listener.create('isr', [
      [0, 9],
      [9, 0],
    ]);
    const brokerEpoch = await listener.brokerEpoch();
    const alter = (version: number, fields: object, newIsr: readonly number[] = [0]): Promise<Answer> => {
      const partition = {
        partitionIndex: 0,
        leaderEpoch: 0,
        newIsr: version < 3 ? newIsr : [],
        newIsrWithEpochs: version < 3 ? [] : newIsr.map((brokerId) => ({ brokerId, brokerEpoch: -1 })),
        leaderRecoveryState: 0,
        partitionEpoch: 0,
        ...fields,
      };
      const topics = [{ topicName: 'isr', topicId: ZERO_UUID, partitions: [partition] }];
      return listener.ask(56, version, { brokerId: 0, brokerEpoch, topics });
    };
    for (const version of [0, 1]) {
      await alter(version, {});
      await alter(version, { partitionIndex: 7 });
      await alter(version, { partitionEpoch: 7 });
      await alter(version, { partitionEpoch: -1 }, []);
      await alter(version, { leaderEpoch: -1 });
      await alter(version, { leaderEpoch: 5 });
      await alter(version, {}, [0, 9]);
    }
    await alter(1, { leaderRecoveryState: 1 });
    await alter(2, {});
    await alter(3, {});
    await alter(1, {}, []);
    await alter(1, {}, []);
    await alter(1, { partitionEpoch: 1 });
    await listener.read('/brokers/topics/isr/partitions/0/state');
    await listener.ask(67, 0, { brokerId: 0, brokerEpoch });
    await listener.read('/latest_producer_id_block');
  },
};

const users: Story = {
  name: 'users get credentials for SCRAM, and lose them',
  async tell(listener) {
    const upsertion = (name: string, iterations: number, mechanism: 1 | 2 = 1): object => ({
      name,
      mechanism,
      iterations,
      salt: Buffer.from('saltsalt'),
      saltedPassword: Buffer.alloc(mechanism === 1 ? 32 : 64, 7),
    });
    const odd = "b*b +ü/@'~(!)";
    const upsertions = [upsertion('ann', 4096), upsertion('ann', 8192, 2), upsertion(odd, 16_384)];
    await listener.ask(51, 0, { deletions: [], upsertions });
    await listener.children('/config/users');
    await listener.read('/config/users/ann');
    await listener.ask(50, 0, { users: [] });
    await listener.ask(50, 0, { users: [{ name: odd }, { name: 'nobody' }] });
    const deletions = [{ name: 'ann', mechanism: 2 }];
    await listener.ask(51, 0, { deletions, upsertions: [upsertion(odd, 5000)] });
    await listener.read('/config/users/ann');
    await listener.ask(51, 0, {
      deletions: [
        { name: 'ann', mechanism: 1 },
        { name: odd, mechanism: 1 },
      ],
      upsertions: [],
    });
    await listener.children('/config/users');
    await listener.ask(50, 0, { users: null });
  },
};

const topics: Story = {
  name: 'topics come, collide, grow and go, in time or not',
  async tell(listener) {
    await listener.create('with.dot', [[0]]);
    await listener.create('with_dot', [[0]]);
    await listener.create('with.dot', [[0]]);
    const topic = { name: 'late', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    await listener.ask(19, 7, { timeoutMs: 0, topics: [topic, { ...topic, name: 'bad name' }] });
    const grow = (name: string, count: number, timeoutMs: number): Promise<Answer> =>
      listener.ask(37, 3, { timeoutMs, topics: [{ name, count, assignments: null }] });
    await grow('with.dot', 3, 60_000);
    await grow('with.dot', 4, 0);
    await listener.create('never-led', [[9]], { timeoutMs: 300 });
    await listener.describe('never-led');
    await listener.ask(20, 4, { topicNames: ['never-led'], timeoutMs: 1000 });
    await listener.ask(20, 6, {
      topics: [
        { name: 'late', topicId: ZERO_UUID },
        { name: 'late', topicId: ZERO_UUID },
        { name: 'missing', topicId: ZERO_UUID },
      ],
      timeoutMs: 60_000,
    });
    await listener.ask(20, 5, { topicNames: ['with.dot'], timeoutMs: 0 });
  },
};

export const stories: readonly Story[] = [records, leaders, isr, users, topics];

/** What a broker answered to a story. */
export async function transcriptOf({ tell }: Story, side: StorySide): Promise<readonly unknown[]> {
  const listener = new Listener(side);
  try {
    await tell(listener);
    return listener.transcript;
  } finally {
    await listener.close();
  }
}
