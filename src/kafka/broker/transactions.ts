import type { Log } from '../../runtime/log.ts';
import type { ChannelTarget, OpenChannel } from '../channel/broker-channel.ts';
import type { EnterTransaction } from '../coordinator/group/group-host.ts';
import { partitionFor } from '../coordinator/partition-for.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import { TransactionGate } from '../replication/transaction-gate.ts';
import { CoordinatorVerifier } from '../replication/transaction-verifier.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './topic-names.ts';

export interface TransactionsOptions {
  readonly config: KafkaConfig;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly openChannel: OpenChannel;
  readonly log: Log;
}

/** What a broker does for transactions as the leader of their partitions. */
export interface Transactions {
  readonly gate: TransactionGate;
  close(): void;
}

export function openTransactions({ config, metadata, replicas, openChannel, log }: TransactionsOptions): Transactions {
  const coordinatorOf = (id: string): ChannelTarget | undefined =>
    transactionCoordinatorOf(id, metadata, config.interBrokerListenerName);
  const verifier = new CoordinatorVerifier({ coordinatorOf, openChannel, log });
  const gate = new TransactionGate({
    replicas,
    verifier,
    isEnabled: () => config.boolean('transaction.partition.verification.enable'),
    missingError: (topic, partition) => {
      const known = metadata.partition(topic, partition) !== undefined;
      return known ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    },
  });
  return { gate, close: () => verifier.close() };
}

/** The leader of the partition of `__transaction_state` that keeps a transactional id, on the listener of brokers. */
function transactionCoordinatorOf(id: string, metadata: MetadataCache, listener: string): ChannelTarget | undefined {
  const topic = metadata.topic(TRANSACTIONS_TOPIC);
  if (topic === undefined) return undefined;
  const leader = metadata.brokers.get(topic.partitions.get(partitionFor(id, topic.partitions.size))?.leader ?? -1);
  const endpoint = leader?.endpoints.find((one) => one.listener === listener);
  return leader && endpoint && { id: leader.id, host: endpoint.host, port: endpoint.port };
}

/** Batches of a coordinator have no sequence. */
const NO_SEQUENCE = -1;

/** How the coordinator of groups asks before it writes offsets within a transaction. */
export function entranceToOffsets(gate: TransactionGate): EnterTransaction {
  return (partition, { transactionalId, producerId, producerEpoch }, operation, done) =>
    gate.enter({
      writer: { transactionalId, producerId, producerEpoch },
      operation,
      partitions: [{ topic: OFFSETS_TOPIC, partition, baseSequence: NO_SEQUENCE }],
      done: ([entry]) => {
        if (entry !== undefined) done(entry);
      },
    });
}
