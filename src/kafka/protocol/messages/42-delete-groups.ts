import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DeleteGroups: removes empty groups and their offsets (KIP-229). */

export const DeleteGroupsRequest = message({
  name: 'DeleteGroupsRequest',
  apiKey: 42,
  versions: '0-3',
  flexible: '2+',
  fields: {
    groupsNames: { type: array(string), versions: '0+' },
  },
});
export type DeleteGroupsRequest = Infer<typeof DeleteGroupsRequest>;

const DeletableGroupResult = struct({
  groupId: { type: string, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '3+', nullable: '3+', default: null, ignorable: true },
});

export const DeleteGroupsResponse = message({
  name: 'DeleteGroupsResponse',
  apiKey: 42,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(DeletableGroupResult), versions: '0+' },
  },
});
export type DeleteGroupsResponse = Infer<typeof DeleteGroupsResponse>;
