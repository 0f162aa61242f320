import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DescribeAcls: the ACLs that match a filter; v1 has pattern types (KIP-290). */

export const DescribeAclsRequest = message({
  name: 'DescribeAclsRequest',
  apiKey: 29,
  versions: '0-3',
  flexible: '2+',
  fields: {
    resourceTypeFilter: { type: int8, versions: '0+' },
    resourceNameFilter: { type: string, versions: '0+', nullable: '0+' },
    patternTypeFilter: { type: int8, versions: '1+', default: 3 },
    principalFilter: { type: string, versions: '0+', nullable: '0+' },
    hostFilter: { type: string, versions: '0+', nullable: '0+' },
    operation: { type: int8, versions: '0+' },
    permissionType: { type: int8, versions: '0+' },
  },
});
export type DescribeAclsRequest = Infer<typeof DescribeAclsRequest>;

const AclDescription = struct({
  principal: { type: string, versions: '0+' },
  host: { type: string, versions: '0+' },
  operation: { type: int8, versions: '0+' },
  permissionType: { type: int8, versions: '0+' },
});

const DescribeAclsResource = struct({
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  patternType: { type: int8, versions: '1+', default: 3 },
  acls: { type: array(AclDescription), versions: '0+' },
});

export const DescribeAclsResponse = message({
  name: 'DescribeAclsResponse',
  apiKey: 29,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    resources: { type: array(DescribeAclsResource), versions: '0+' },
  },
});
export type DescribeAclsResponse = Infer<typeof DescribeAclsResponse>;
