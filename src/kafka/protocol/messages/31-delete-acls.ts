import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DeleteAcls: removes what matches the filters. */

const DeleteAclsFilter = struct({
  resourceTypeFilter: { type: int8, versions: '0+' },
  resourceNameFilter: { type: string, versions: '0+', nullable: '0+' },
  patternTypeFilter: { type: int8, versions: '1+', default: 3 },
  principalFilter: { type: string, versions: '0+', nullable: '0+' },
  hostFilter: { type: string, versions: '0+', nullable: '0+' },
  operation: { type: int8, versions: '0+' },
  permissionType: { type: int8, versions: '0+' },
});

export const DeleteAclsRequest = message({
  name: 'DeleteAclsRequest',
  apiKey: 31,
  versions: '0-3',
  flexible: '2+',
  fields: {
    filters: { type: array(DeleteAclsFilter), versions: '0+' },
  },
});
export type DeleteAclsRequest = Infer<typeof DeleteAclsRequest>;

const DeleteAclsMatchingAcl = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  patternType: { type: int8, versions: '1+', default: 3 },
  principal: { type: string, versions: '0+' },
  host: { type: string, versions: '0+' },
  operation: { type: int8, versions: '0+' },
  permissionType: { type: int8, versions: '0+' },
});

const DeleteAclsFilterResult = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  matchingAcls: { type: array(DeleteAclsMatchingAcl), versions: '0+' },
});

export const DeleteAclsResponse = message({
  name: 'DeleteAclsResponse',
  apiKey: 31,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    filterResults: { type: array(DeleteAclsFilterResult), versions: '0+' },
  },
});
export type DeleteAclsResponse = Infer<typeof DeleteAclsResponse>;
