import type { ShareGroupDescribeResponse } from '../../../protocol/messages/77-share-group-describe.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { ListedGroup } from '../describe.ts';
import { headOf, namedPartitions, refusedHead } from '../described-group.ts';
import type { ShareGroup } from './share-group.ts';

export type DescribedShareGroup = Omit<ShareGroupDescribeResponse['groups'][number], 'authorizedOperations'>;

const ASSIGNOR = 'simple';
const PROTOCOL_TYPE = 'share';

export function describeShareGroup(group: ShareGroup, image: TopicImage): DescribedShareGroup {
  return {
    ...headOf(group),
    assignorName: ASSIGNOR,
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.id,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      assignment: { topicPartitions: namedPartitions(member.assigned, image) },
    })),
  };
}

export function refusedShareGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedShareGroup {
  return {
    ...refusedHead(groupId, errorCode, errorMessage),
    assignorName: '',
    members: [],
  };
}

export function listShareGroup(group: ShareGroup): ListedGroup {
  return { groupId: group.id, protocolType: PROTOCOL_TYPE, groupState: group.state, groupType: PROTOCOL_TYPE };
}
