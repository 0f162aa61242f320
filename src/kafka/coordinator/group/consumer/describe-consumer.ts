import type { ConsumerGroupDescribeResponse } from '../../../protocol/messages/69-consumer-group-describe.ts';
import { CONSUMER_PROTOCOL } from '../classic-group.ts';
import type { ListedGroup } from '../describe.ts';
import { headOf, namedPartitions, refusedHead } from '../described-group.ts';
import { NO_ASSIGNMENT } from './assignment.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { TopicImage } from './topic-image.ts';

export type DescribedConsumerGroup = Omit<ConsumerGroupDescribeResponse['groups'][number], 'authorizedOperations'>;
type DescribedMember = DescribedConsumerGroup['members'][number];

const CLASSIC_MEMBER = 0;
const CONSUMER_MEMBER = 1;

export function describeConsumerGroup(
  group: ConsumerGroup,
  image: TopicImage,
  defaultAssignor: string,
): DescribedConsumerGroup {
  return {
    ...headOf(group),
    assignorName: group.preferredAssignor() ?? defaultAssignor,
    members: Array.from(group.members.values(), (member) => describeMember(group, member, image)),
  };
}

export function refusedConsumerGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedConsumerGroup {
  return {
    ...refusedHead(groupId, errorCode, errorMessage),
    assignorName: '',
    members: [],
  };
}

/** What a member has still to give up is its own until it has done so. */
function describeMember(group: ConsumerGroup, member: ConsumerMember, image: TopicImage): DescribedMember {
  const current = new Map<string, number[]>();
  for (const owned of [member.assigned, member.revoking]) {
    for (const [topicId, partitions] of owned) {
      current.set(topicId, [...(current.get(topicId) ?? []), ...partitions.keys()]);
    }
  }
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topicNames],
    subscribedTopicRegex: member.topicRegex,
    assignment: { topicPartitions: namedPartitions(current, image) },
    targetAssignment: { topicPartitions: namedPartitions(group.target(member.id) ?? NO_ASSIGNMENT, image) },
    memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  };
}

export function listConsumerGroup(group: ConsumerGroup): ListedGroup {
  return { groupId: group.id, protocolType: CONSUMER_PROTOCOL, groupState: group.state, groupType: 'consumer' };
}
