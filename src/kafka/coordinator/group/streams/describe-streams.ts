import type { StreamsGroupDescribeResponse } from '../../../protocol/messages/89-streams-group-describe.ts';
import type { ListedGroup } from '../describe.ts';
import { headOf, refusedHead } from '../described-group.ts';
import type { ConfiguredTopology, InternalTopic } from './configured-topology.ts';
import type { SoftState } from './soft-state.ts';
import { ASSIGNOR } from './streams-config.ts';
import type { StreamsGroup } from './streams-group.ts';
import { type StreamsMember, tagList } from './streams-member.ts';
import { NO_OFFSETS, offsetList, type TaskOffsets } from './task-offsets.ts';
import { allTaskIds, NO_ASSIGNMENT, type TaskAssignment } from './tasks.ts';
import { byId, type TopicInfo, type Topology } from './topology.ts';

export type DescribedStreamsGroup = Omit<StreamsGroupDescribeResponse['groups'][number], 'authorizedOperations'>;
type DescribedTopology = NonNullable<DescribedStreamsGroup['topology']>;
type DescribedTopic = NonNullable<DescribedTopology['subtopologies']>[number]['stateChangelogTopics'][number];

const PROTOCOL_TYPE = 'streams';
/** Nobody keeps descriptions of topologies here (KIP-1331). */
const NOT_ASKED_FOR = 0;

export function describeStreamsGroup(group: StreamsGroup, soft: SoftState): DescribedStreamsGroup {
  return {
    ...headOf(group),
    topology: described(soft.described, group.topology),
    members: Array.from(group.members.values(), (member) =>
      describeMember(member, group.targets.get(member.id) ?? NO_ASSIGNMENT, soft.offsets.get(member.id) ?? NO_OFFSETS),
    ),
    topologyDescription: null,
    topologyDescriptionStatus: NOT_ASKED_FOR,
    assignorName: ASSIGNOR,
  };
}

function describeMember(
  member: StreamsMember,
  target: TaskAssignment,
  { offsets, endOffsets }: TaskOffsets,
): DescribedStreamsGroup['members'][number] {
  return {
    memberId: member.id,
    memberEpoch: member.epoch,
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    topologyEpoch: member.topologyEpoch,
    processId: member.processId,
    userEndpoint: member.userEndpoint && { ...member.userEndpoint },
    clientTags: tagList(member.clientTags),
    taskOffsets: offsetList(offsets),
    taskEndOffsets: offsetList(endOffsets),
    assignment: allTaskIds(member.assigned),
    targetAssignment: allTaskIds(target),
    isClassic: false,
  };
}

/** With the partitions that internal topics have got, where all are there; else as members told it. */
function described(
  configured: ConfiguredTopology | undefined,
  topology: Topology | undefined,
): DescribedTopology | null {
  if (configured?.fault === undefined && configured?.subtopologies !== undefined) {
    return {
      epoch: configured.epoch,
      subtopologies: configured.subtopologies.map((one) => ({
        subtopologyId: one.id,
        sourceTopics: [...one.sourceTopics],
        repartitionSinkTopics: [...one.repartitionSinkTopics],
        stateChangelogTopics: one.stateChangelogTopics.map(configuredTopic).sort(byName),
        repartitionSourceTopics: one.repartitionSourceTopics.map(configuredTopic).sort(byName),
      })),
    };
  }
  if (topology === undefined) return null;
  return {
    epoch: topology.epoch,
    subtopologies: byId(topology.subtopologies).map((one) => ({
      subtopologyId: one.subtopologyId,
      sourceTopics: [...one.sourceTopics].sort(),
      repartitionSinkTopics: [...one.repartitionSinkTopics].sort(),
      stateChangelogTopics: one.stateChangelogTopics.map(toldTopic).sort(byName),
      repartitionSourceTopics: one.repartitionSourceTopics.map(toldTopic).sort(byName),
    })),
  };
}

function configuredTopic({ name, partitionCount, replicationFactor, config }: InternalTopic): DescribedTopic {
  const topicConfigs = Array.from(config, ([key, value]) => ({ key, value }));
  return { name, partitions: partitionCount, replicationFactor, topicConfigs };
}

function toldTopic(topic: TopicInfo): DescribedTopic {
  return { ...topic, topicConfigs: topic.topicConfigs.map((one) => ({ ...one })) };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

export function refusedStreamsGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedStreamsGroup {
  return {
    ...refusedHead(groupId, errorCode, errorMessage),
    topology: null,
    members: [],
    topologyDescription: null,
    topologyDescriptionStatus: NOT_ASKED_FOR,
    assignorName: null,
  };
}

export function listStreamsGroup(group: StreamsGroup): ListedGroup {
  return { groupId: group.id, protocolType: PROTOCOL_TYPE, groupState: group.state, groupType: PROTOCOL_TYPE };
}
