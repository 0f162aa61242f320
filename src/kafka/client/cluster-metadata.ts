import type { Address } from '../../runtime/network.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { MetadataResponse } from '../protocol/messages/03-metadata.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-partition`: the key of maps, and how Apache prints it. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

export interface BrokerNode extends Address {
  readonly id: number;
  readonly rack: string | null;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** -1: none at present. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly errorCode: number;
}

export interface TopicMetadata {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly errorCode: number;
  /** By index, in order. */
  readonly partitions: readonly PartitionMetadata[];
}

/** What one Metadata answer said of the cluster. */
export interface ClusterMetadata {
  readonly clusterId: string | null;
  /** -1: none at present. */
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, BrokerNode>;
  readonly topics: ReadonlyMap<string, TopicMetadata>;
}

export const noMetadata: ClusterMetadata = { clusterId: null, controllerId: -1, brokers: new Map(), topics: new Map() };

export function metadataOf(response: MetadataResponse): ClusterMetadata {
  const brokers = response.brokers.map(({ nodeId, host, port, rack }): [number, BrokerNode] => [
    nodeId,
    { id: nodeId, host, port, rack },
  ]);
  return {
    clusterId: response.clusterId,
    controllerId: response.controllerId,
    brokers: new Map(brokers),
    topics: new Map(response.topics.map((topic) => [topic.name ?? '', topicOf(topic)])),
  };
}

function topicOf(topic: MetadataResponse['topics'][number]): TopicMetadata {
  const partitions = topic.partitions.map((each): PartitionMetadata => {
    const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas, errorCode } = each;
    return {
      partition: partitionIndex,
      leader: leaderId,
      leaderEpoch,
      replicas: replicaNodes,
      isr: isrNodes,
      offlineReplicas,
      errorCode,
    };
  });
  partitions.sort((a, b) => a.partition - b.partition);
  const { name, topicId, isInternal, errorCode } = topic;
  return { name: name ?? '', topicId, isInternal, errorCode, partitions };
}

/** Later answers win; topics that they do not speak of stay as they were. */
export function merged(old: ClusterMetadata, fresh: ClusterMetadata): ClusterMetadata {
  return { ...fresh, topics: new Map([...old.topics, ...fresh.topics]) };
}

/** Every partition is known and has a leader. */
export function isUsable(topic: TopicMetadata | undefined): topic is TopicMetadata {
  return (
    topic !== undefined &&
    topic.errorCode === ErrorCode.NONE &&
    topic.partitions.length > 0 &&
    topic.partitions.every(({ leader }) => leader >= 0)
  );
}
