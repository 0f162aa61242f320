import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** CreateAcls. */

const AclCreation = struct({
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  resourcePatternType: { type: int8, versions: '1+', default: 3 },
  principal: { type: string, versions: '0+' },
  host: { type: string, versions: '0+' },
  operation: { type: int8, versions: '0+' },
  permissionType: { type: int8, versions: '0+' },
});

export const CreateAclsRequest = message({
  name: 'CreateAclsRequest',
  apiKey: 30,
  versions: '0-3',
  flexible: '2+',
  fields: {
    creations: { type: array(AclCreation), versions: '0+' },
  },
});
export type CreateAclsRequest = Infer<typeof CreateAclsRequest>;

const AclCreationResult = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
});

export const CreateAclsResponse = message({
  name: 'CreateAclsResponse',
  apiKey: 30,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(AclCreationResult), versions: '0+' },
  },
});
export type CreateAclsResponse = Infer<typeof CreateAclsResponse>;
