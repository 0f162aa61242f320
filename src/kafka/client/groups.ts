import { ErrorCode, errorOf, type KafkaError } from '../protocol/errors.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../protocol/messages/15-describe-groups.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/16-list-groups.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/messages/42-delete-groups.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../protocol/messages/47-offset-delete.ts';
import { ConsumerProtocolAssignment } from '../protocol/records/consumer-protocol.ts';
import { readVersionedOrNewer } from '../protocol/records/versioned.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerNode, TopicPartition } from './cluster-metadata.ts';
import { findCoordinator } from './coordinator.ts';
import { type CommittedOffset, commitOffsets, fetchOffsets } from './offsets.ts';

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  /** Empty where the broker does not say (before 2.6). */
  readonly state: string;
  /** Empty where the broker does not say (before 3.8). */
  readonly type: string;
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** `/127.0.0.1`, as Java prints addresses. */
  readonly host: string;
  readonly assignment: readonly TopicPartition[];
}

export interface DescribedGroup {
  readonly groupId: string;
  /** `Dead` where there is none. */
  readonly state: string;
  readonly protocolType: string;
  /** The assignor. */
  readonly protocol: string;
  readonly coordinator: BrokerNode;
  readonly members: readonly DescribedMember[];
}

/** What administrators do with consumer groups. */
export class Groups {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Of every broker. */
  async list(): Promise<ListedGroup[]> {
    const { brokers } = await this.#cluster.retrying(() => this.#cluster.refresh([]));
    const lists = await Promise.all(
      [...brokers.keys()].map((node) =>
        this.#cluster.retrying(async () => {
          const answer = await this.#cluster.request({ node }, ListGroupsRequest, ListGroupsResponse, {});
          if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode);
          return answer.groups;
        }),
      ),
    );
    return lists.flat().map(({ groupId, protocolType, groupState, groupType }) => ({
      groupId,
      protocolType,
      state: groupState,
      type: groupType,
    }));
  }

  async describe(groupId: string): Promise<DescribedGroup> {
    return this.#atCoordinator(groupId, async (coordinator) => {
      const answer = await this.#cluster.request(
        { node: coordinator.id },
        DescribeGroupsRequest,
        DescribeGroupsResponse,
        { groups: [groupId] },
      );
      const group = answer.groups[0]!;
      // Since 4.0's client protocol (v6) a group that is not there is an error.
      if (group.errorCode !== ErrorCode.NONE && group.errorCode !== ErrorCode.GROUP_ID_NOT_FOUND)
        throw errorOf(group.errorCode, group.errorMessage);
      const isConsumers = group.protocolType === 'consumer';
      return {
        groupId,
        state: group.groupState,
        protocolType: group.protocolType,
        protocol: group.protocolData,
        coordinator,
        members: group.members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
          memberId,
          groupInstanceId,
          clientId,
          host: clientHost,
          assignment: isConsumers ? assignmentOf(memberAssignment) : [],
        })),
      };
    });
  }

  async committed(groupId: string): Promise<CommittedOffset[]> {
    return this.#atCoordinator(groupId, (coordinator) => fetchOffsets(this.#cluster, coordinator.id, groupId, 'all'));
  }

  /** Of a group without members. */
  async setOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const nobody = { groupId, generation: -1, memberId: '', groupInstanceId: null };
    await this.#atCoordinator(groupId, async (coordinator) => {
      const results = await commitOffsets(this.#cluster, coordinator.id, nobody, offsets);
      for (const { error } of results) if (error !== undefined) throw error;
    });
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  async delete(groupId: string): Promise<void> {
    await this.#atCoordinator(groupId, async (coordinator) => {
      const answer = await this.#cluster.request({ node: coordinator.id }, DeleteGroupsRequest, DeleteGroupsResponse, {
        groupsNames: [groupId],
      });
      const { errorCode, errorMessage } = answer.results[0]!;
      if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
    });
  }

  /** Answers each partition's error. @throws KafkaError of the group */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<(TopicPartition & { readonly error: KafkaError | undefined })[]> {
    return this.#atCoordinator(groupId, async (coordinator) => {
      const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
        name,
        partitions: group.map(({ partition }) => ({ partitionIndex: partition })),
      }));
      const answer = await this.#cluster.request({ node: coordinator.id }, OffsetDeleteRequest, OffsetDeleteResponse, {
        groupId,
        topics,
      });
      if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode);
      return answer.topics.flatMap(({ name, partitions: results }) =>
        results.map(({ partitionIndex, errorCode }) => ({
          topic: name,
          partition: partitionIndex,
          error: errorCode === ErrorCode.NONE ? undefined : errorOf(errorCode),
        })),
      );
    });
  }

  #atCoordinator<T>(groupId: string, ask: (coordinator: BrokerNode) => Promise<T>): Promise<T> {
    return this.#cluster.retrying(async () => ask(await findCoordinator(this.#cluster, groupId, 'group')));
  }
}

function assignmentOf(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return [];
  const { assignedPartitions } = readVersionedOrNewer(ConsumerProtocolAssignment, bytes);
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
