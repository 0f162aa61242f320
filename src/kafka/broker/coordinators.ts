import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenChannel } from '../channel/broker-channel.ts';
import { groupConfig } from '../coordinator/group/group-config.ts';
import { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { codecNames } from '../records/batch.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { Partition } from '../replication/partition.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { TransactionGate } from '../replication/transaction-gate.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { AutoTopics } from './auto-topics.ts';
import type { GroupConfigs } from './config/group-configs.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { consumerConfig } from './consumer-config.ts';
import { InternalTopicLog } from './internal-topic-log.ts';
import type { ProducerIds } from './producer-ids.ts';
import { shareMembershipConfig } from './share/group-config.ts';
import { ShareGroups } from './share/share-groups.ts';
import { streamsConfig } from './streams-config.ts';
import { MetadataTopicImage } from './topic-image.ts';
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTIONS_TOPIC } from './topic-names.ts';
import { startCoordinatingTransactions } from './transaction-coordination.ts';
import { entranceToOffsets, openTransactions, type Transactions } from './transactions.ts';

export interface CoordinatorsOptions {
  readonly brokerId: number;
  readonly runtime: Runtime;
  readonly config: KafkaConfig;
  readonly groupConfigs: GroupConfigs;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  readonly autoTopics: AutoTopics;
  readonly openChannel: OpenChannel;
  /** Fetches of share groups that wait for the partition may find something. */
  readonly onProgress: (partition: Partition) => void;
}

/** What a broker coordinates: groups and their offsets, transactions, deliveries to share groups. */
export class Coordinators {
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  readonly shares: ShareGroups;
  readonly #gate: Transactions;

  constructor(options: CoordinatorsOptions) {
    const { config, metadata, replicas, openChannel, autoTopics, runtime } = options;
    this.shares = new ShareGroups({ ...options, createStateTopic: () => void autoTopics.create(SHARE_STATE_TOPIC) });
    const log = runtime.log.named('kafka.transactions');
    this.#gate = openTransactions({ config, metadata, replicas, openChannel, log });
    this.groups = coordinateGroups(options, this.#gate.gate, this.shares);
    this.transactions = startCoordinatingTransactions(options);
  }

  /** Lets transactions write to partitions that their coordinator knows to be part of them. */
  get transactionGate(): TransactionGate {
    return this.#gate.gate;
  }

  /** Whoever leads a partition of an internal topic coordinates what is kept in it. */
  leadershipChanged(partition: Partition): void {
    this.shares.leadershipChanged(partition);
    const { topic, index, isLeader, leaderEpoch } = partition;
    const coordinator =
      topic === OFFSETS_TOPIC ? this.groups : topic === TRANSACTIONS_TOPIC ? this.transactions : undefined;
    if (isLeader) coordinator?.onElected(index, leaderEpoch);
    else coordinator?.onResigned(index);
  }

  close(): void {
    this.groups.close();
    this.transactions.close();
    this.#gate.close();
    this.shares.close();
  }
}

function coordinateGroups(
  { config, groupConfigs, metadata, replicas, runtime }: CoordinatorsOptions,
  gate: TransactionGate,
  shares: ShareGroups,
): GroupCoordinator {
  const { clock, random, log } = runtime;
  const groups = new GroupCoordinator({
    coordinatorLog: new InternalTopicLog({
      topic: OFFSETS_TOPIC,
      partitionCount: config.number('offsets.topic.num.partitions'),
      codec: codecNames[config.number('offsets.topic.compression.codec')] ?? 'none',
      clock,
      metadata,
      replicas,
    }),
    clock,
    random,
    log: log.named('kafka.groups'),
    config: groupConfig((key) => config.number(key)),
    enterTransaction: entranceToOffsets(gate),
    consumers: consumerConfig(config, groupConfigs),
    image: new MetadataTopicImage(metadata, clock),
    shares: shareMembershipConfig(config, groupConfigs),
    keeper: shares.keeper,
    streams: streamsConfig(config, groupConfigs),
  });
  groups.start();
  return groups;
}
