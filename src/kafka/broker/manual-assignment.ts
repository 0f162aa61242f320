import { ErrorCode, KafkaError } from '../protocol/errors.ts';

type Assignment = ReadonlyMap<number, readonly number[]>;

/**
 * More partitions than the znode of a topic can name (1 MiB by default). A request that asks for billions must not keep the broker
 * busy until it finds that out; KRaft refuses with the same words.
 */
const PARTITION_COUNT_MAX = 200_000;

/** @throws KafkaError POLICY_VIOLATION */
export function requireModestCount(partitionCount: number): void {
  if (partitionCount <= PARTITION_COUNT_MAX) return;
  throw new KafkaError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.');
}

/**
 * The rules for the replicas of a new topic, in Apache's order and words (`AdminZkClient.validateTopicCreate`). Two that Apache
 * lacks are ours: a partition has a replica, and no broker has a negative id.
 * @throws KafkaError INVALID_REPLICA_ASSIGNMENT
 */
export function checkNewAssignment(partitions: Assignment): void {
  const lists = [...partitions.values()];
  if (new Set(lists.map((replicas) => replicas.length)).size !== 1) {
    throw invalidAssignment('All partitions should have the same number of replicas');
  }
  if (lists.some(hasDuplicates)) {
    const rows = [...partitions]
      .sort(([a], [b]) => a - b)
      .map(([partition, replicas]) => `${partition} -> ArrayBuffer(${replicas.join(', ')})`);
    throw invalidAssignment(`Duplicate replica assignment found: HashMap(${rows.join(', ')})`);
  }
  for (let partition = 0; partition < partitions.size; partition += 1) {
    if (partitions.has(partition)) continue;
    throw invalidAssignment('partitions should be a consecutive 0-based integer sequence');
  }
  if (lists.some((replicas) => replicas.length === 0)) {
    throw invalidAssignment('Partition replica lists may not be empty');
  }
  const unknown = lists.flat().filter((id) => id < 0);
  if (unknown.length > 0) throw invalidAssignment(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`);
}

/**
 * The rules for partitions that come to a topic (`AdminZkClient.validateReplicaAssignment`).
 * @param replicationFactor of the topic's partition 0
 * @throws KafkaError INVALID_REPLICA_ASSIGNMENT
 */
export function checkAddedAssignment(added: Assignment, replicationFactor: number): void {
  for (const [partition, replicas] of added) {
    if (replicas.length === 0) {
      throw invalidAssignment(`Cannot have replication factor of 0 for partition id ${partition}.`);
    }
    if (hasDuplicates(replicas)) {
      throw invalidAssignment(
        `Duplicate brokers not allowed in replica assignment: ${replicas.join(', ')} for partition id ${partition}.`,
      );
    }
  }
  const odd = [...added].filter(([, replicas]) => replicas.length !== replicationFactor);
  if (odd.length === 0) return;
  throw invalidAssignment(
    `Inconsistent replication factor between partitions, partition 0 has ${replicationFactor} while partitions ` +
      `[${odd.map(([partition]) => partition).join(', ')}] have replication factors ` +
      `[${odd.map(([, replicas]) => replicas.length).join(', ')}], respectively.`,
  );
}

export function invalidAssignment(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

function hasDuplicates(replicas: readonly number[]): boolean {
  return new Set(replicas).size !== replicas.length;
}
