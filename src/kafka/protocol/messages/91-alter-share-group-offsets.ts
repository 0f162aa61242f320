import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** AlterShareGroupOffsets (KIP-932). */

const AlterShareGroupOffsetsRequestPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
});

const AlterShareGroupOffsetsRequestTopic = struct({
  topicName: { type: string, versions: '0+' },
  partitions: { type: array(AlterShareGroupOffsetsRequestPartition), versions: '0+' },
});

export const AlterShareGroupOffsetsRequest = message({
  name: 'AlterShareGroupOffsetsRequest',
  apiKey: 91,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(AlterShareGroupOffsetsRequestTopic), versions: '0+' },
  },
});
export type AlterShareGroupOffsetsRequest = Infer<typeof AlterShareGroupOffsetsRequest>;

const AlterShareGroupOffsetsResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

const AlterShareGroupOffsetsResponseTopic = struct({
  topicName: { type: string, versions: '0+' },
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(AlterShareGroupOffsetsResponsePartition), versions: '0+' },
});

export const AlterShareGroupOffsetsResponse = message({
  name: 'AlterShareGroupOffsetsResponse',
  apiKey: 91,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    responses: { type: array(AlterShareGroupOffsetsResponseTopic), versions: '0+' },
  },
});
export type AlterShareGroupOffsetsResponse = Infer<typeof AlterShareGroupOffsetsResponse>;
