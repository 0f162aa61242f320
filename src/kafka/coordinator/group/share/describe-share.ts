import { ErrorCode } from '../../../protocol/errors.ts';
import type { ShareGroupDescribeResponse } from '../../../protocol/messages/77-share-group-describe.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { ListedGroup } from '../describe.ts';
import type { Assignment, ShareGroup } from './share-group.ts';

export type DescribedShareGroup = Omit<ShareGroupDescribeResponse['groups'][number], 'authorizedOperations'>;
type DescribedMember = DescribedShareGroup['members'][number];

const ASSIGNOR = 'simple';
const PROTOCOL_TYPE = 'share';

export function describeShareGroup(group: ShareGroup, image: TopicImage): DescribedShareGroup {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: ASSIGNOR,
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.id,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      assignment: { topicPartitions: named(member.assigned, image) },
    })),
  };
}

function named(assignment: Assignment, image: TopicImage): DescribedMember['assignment']['topicPartitions'] {
  return Array.from(assignment, ([topicId, partitions]) => ({
    topicId,
    topicName: image.nameOf(topicId) ?? '',
    partitions: [...partitions],
  })).filter(({ topicName }) => topicName !== '');
}

export function refusedShareGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedShareGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  };
}

export function listShareGroup(group: ShareGroup): ListedGroup {
  return { groupId: group.id, protocolType: PROTOCOL_TYPE, groupState: group.state, groupType: PROTOCOL_TYPE };
}
