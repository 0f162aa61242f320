import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** OffsetDelete: forgets committed offsets of a group (KIP-496). Never flexible. */

const OffsetDeleteRequestPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
});

const OffsetDeleteRequestTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(OffsetDeleteRequestPartition), versions: '0+' },
});

export const OffsetDeleteRequest = message({
  name: 'OffsetDeleteRequest',
  apiKey: 47,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(OffsetDeleteRequestTopic), versions: '0+' },
  },
});
export type OffsetDeleteRequest = Infer<typeof OffsetDeleteRequest>;

const OffsetDeleteResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const OffsetDeleteResponseTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(OffsetDeleteResponsePartition), versions: '0+' },
});

export const OffsetDeleteResponse = message({
  name: 'OffsetDeleteResponse',
  apiKey: 47,
  versions: '0',
  flexible: 'none',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    throttleTimeMs: { type: int32, versions: '0+', ignorable: true },
    topics: { type: array(OffsetDeleteResponseTopic), versions: '0+' },
  },
});
export type OffsetDeleteResponse = Infer<typeof OffsetDeleteResponse>;
