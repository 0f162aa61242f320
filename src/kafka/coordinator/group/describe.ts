import { ErrorCode } from '../../protocol/errors.ts';
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import type { ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import type { ClassicGroup } from './classic-group.ts';
import { metadataFor, NO_BYTES } from './member.ts';

export type DescribedGroup = Omit<DescribeGroupsResponse['groups'][number], 'authorizedOperations' | 'errorMessage'>;
export type ListedGroup = ListGroupsResponse['groups'][number];

/** Protocol, subscriptions and assignments mean something only while the group is stable. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  const protocol = group.state === 'Stable' ? group.protocolName : null;
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: protocol === null ? NO_BYTES : metadataFor(member, protocol),
      memberAssignment: protocol === null ? NO_BYTES : member.assignment,
    })),
  };
}

/** A group that does not exist counts as one that is no more. */
export function deadGroup(groupId: string): DescribedGroup {
  return { ...unavailableGroup(groupId, ErrorCode.NONE), groupState: 'Dead' };
}

export function unavailableGroup(groupId: string, errorCode: number): DescribedGroup {
  return { errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] };
}

export function listGroup(group: ClassicGroup): ListedGroup {
  return {
    groupId: group.id,
    protocolType: group.protocolType ?? '',
    groupState: group.state,
    groupType: 'classic',
  };
}
