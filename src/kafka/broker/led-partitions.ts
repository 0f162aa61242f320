import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { Partition } from '../replication/partition.ts';
import type { BrokerContext } from './broker-context.ts';

/** A replica of this broker. @throws KafkaError NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION */
export function replicaHere({ replicas, metadata }: BrokerContext, topic: string, index: number): Partition {
  const partition = replicas.partition(topic, index);
  if (partition !== undefined) return partition;
  const isKnown = metadata.partition(topic, index) !== undefined;
  throw new KafkaError(isKnown ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
}
