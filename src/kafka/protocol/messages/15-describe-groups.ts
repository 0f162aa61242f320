import { array, bool, bytes, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * DescribeGroups: state and members of classic groups.
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  authorized operations on request (KIP-430)
 * v4  group instance id (KIP-345)
 * v5  flexible
 * v6  GROUP_ID_NOT_FOUND with a message instead of a dead group (KIP-1043)
 */

export const DescribeGroupsRequest = message({
  name: 'DescribeGroupsRequest',
  apiKey: 15,
  versions: '0-6',
  flexible: '5+',
  fields: {
    groups: { type: array(string), versions: '0+' },
    includeAuthorizedOperations: { type: bool, versions: '3+' },
  },
});
export type DescribeGroupsRequest = Infer<typeof DescribeGroupsRequest>;

const DescribedGroupMember = struct({
  memberId: { type: string, versions: '0+' },
  groupInstanceId: { type: string, versions: '4+', nullable: '4+', default: null, ignorable: true },
  clientId: { type: string, versions: '0+' },
  clientHost: { type: string, versions: '0+' },
  memberMetadata: { type: bytes, versions: '0+' },
  memberAssignment: { type: bytes, versions: '0+' },
});

const DescribedGroup = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '6+', nullable: '6+', default: null },
  groupId: { type: string, versions: '0+' },
  groupState: { type: string, versions: '0+' },
  protocolType: { type: string, versions: '0+' },
  protocolData: { type: string, versions: '0+' },
  members: { type: array(DescribedGroupMember), versions: '0+' },
  authorizedOperations: { type: int32, versions: '3+', default: -2_147_483_648 },
});

export const DescribeGroupsResponse = message({
  name: 'DescribeGroupsResponse',
  apiKey: 15,
  versions: '0-6',
  flexible: '5+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    groups: { type: array(DescribedGroup), versions: '0+' },
  },
});
export type DescribeGroupsResponse = Infer<typeof DescribeGroupsResponse>;
