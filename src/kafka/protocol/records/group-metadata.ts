import { array, bytes, type Infer, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** Classic groups in `__consumer_offsets`, key type 2. */

export const GroupMetadataKey = message({
  name: 'GroupMetadataKey',
  apiKey: 2,
  versions: '0',
  flexible: 'none',
  fields: {
    group: { type: string, versions: '0' },
  },
});
export type GroupMetadataKey = Infer<typeof GroupMetadataKey>;

const MemberMetadata = struct({
  memberId: { type: string, versions: '0+' },
  groupInstanceId: { type: string, versions: '3+', nullable: '3+', default: null, ignorable: true },
  clientId: { type: string, versions: '0+' },
  clientHost: { type: string, versions: '0+' },
  rebalanceTimeout: { type: int32, versions: '1+', default: -1, ignorable: true },
  sessionTimeout: { type: int32, versions: '0+' },
  subscription: { type: bytes, versions: '0+' },
  assignment: { type: bytes, versions: '0+' },
});

export const GroupMetadataValue = message({
  name: 'GroupMetadataValue',
  apiKey: 2,
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: { type: string, versions: '0+' },
    generation: { type: int32, versions: '0+' },
    protocol: { type: string, versions: '0+', nullable: '0+' },
    leader: { type: string, versions: '0+', nullable: '0+' },
    currentStateTimestamp: { type: int64, versions: '2+', default: -1, ignorable: true },
    members: { type: array(MemberMetadata), versions: '0+' },
  },
});
export type GroupMetadataValue = Infer<typeof GroupMetadataValue>;
