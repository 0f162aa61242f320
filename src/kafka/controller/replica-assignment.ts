import { below, type Random } from '../../runtime/random.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';

export interface AssignmentOptions {
  readonly brokers: readonly number[];
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** Where partitions are added to a topic that has some: its count, and where its assignment began. */
  readonly firstPartition?: number;
  readonly startIndex?: number;
}

/**
 * More do not fit into the one znode of a topic, which holds a MB at most. Apache's broker has no bound, and runs out of memory
 * for a request that asks for 2^31.
 */
const PARTITIONS_MAX = 100_000;

/**
 * Spreads replicas over brokers without racks (`AdminUtils.assignReplicasToBrokersRackUnaware`): leaders go round from a random
 * start, and the followers' distance grows by one each time the round is complete.
 * @throws KafkaError INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR
 */
export function assignReplicas(options: AssignmentOptions, random: Random): Map<number, number[]> {
  const { partitionCount, replicationFactor, firstPartition = 0 } = options;
  const brokers = [...options.brokers].sort((a, b) => a - b);
  const count = brokers.length;
  if (partitionCount <= 0)
    throw new KafkaError(ErrorCode.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.');
  if (firstPartition + partitionCount > PARTITIONS_MAX) {
    throw new KafkaError(
      ErrorCode.INVALID_PARTITIONS,
      `Number of partitions must be at most ${PARTITIONS_MAX}: more do not fit into the topic's znode.`,
    );
  }
  if (replicationFactor <= 0) {
    throw new KafkaError(ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.');
  }
  if (replicationFactor > count) {
    throw new KafkaError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Replication factor: ${replicationFactor} larger than available brokers: ${count}.`,
    );
  }
  const start = options.startIndex ?? below(random, count);
  let shift = options.startIndex ?? below(random, count);
  const assignment = new Map<number, number[]>();
  for (let partition = firstPartition; partition < firstPartition + partitionCount; partition += 1) {
    if (partition > 0 && partition % count === 0) shift += 1;
    const first = (partition + start) % count;
    const replicas = [brokers[first]!];
    for (let replica = 0; replica < replicationFactor - 1; replica += 1) {
      replicas.push(brokers[(first + 1 + ((shift + replica) % (count - 1))) % count]!);
    }
    assignment.set(partition, replicas);
  }
  return assignment;
}
