import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * ListGroups: the groups that this broker coordinates.
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  flexible
 * v4  filter by state; the response has the state (KIP-518)
 * v5  filter by type; the response has the type (KIP-848)
 */

export const ListGroupsRequest = message({
  name: 'ListGroupsRequest',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    statesFilter: { type: array(string), versions: '4+' },
    typesFilter: { type: array(string), versions: '5+' },
  },
});
export type ListGroupsRequest = Infer<typeof ListGroupsRequest>;

const ListedGroup = struct({
  groupId: { type: string, versions: '0+' },
  protocolType: { type: string, versions: '0+' },
  groupState: { type: string, versions: '4+', ignorable: true },
  groupType: { type: string, versions: '5+', ignorable: true },
});

export const ListGroupsResponse = message({
  name: 'ListGroupsResponse',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    groups: { type: array(ListedGroup), versions: '0+' },
  },
});
export type ListGroupsResponse = Infer<typeof ListGroupsResponse>;
