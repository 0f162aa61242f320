import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** DescribeShareGroupOffsets: start offsets and lag of share groups (KIP-932). */

const DescribeShareGroupOffsetsRequestTopic = struct({
  topicName: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const DescribeShareGroupOffsetsRequestGroup = struct({
  groupId: { type: string, versions: '0+' },
  topics: { type: array(DescribeShareGroupOffsetsRequestTopic), versions: '0+', nullable: '0+' },
});

export const DescribeShareGroupOffsetsRequest = message({
  name: 'DescribeShareGroupOffsetsRequest',
  apiKey: 90,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groups: { type: array(DescribeShareGroupOffsetsRequestGroup), versions: '0+' },
  },
});
export type DescribeShareGroupOffsetsRequest = Infer<typeof DescribeShareGroupOffsetsRequest>;

const DescribeShareGroupOffsetsResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  lag: { type: int64, versions: '1+', default: -1, ignorable: true },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

const DescribeShareGroupOffsetsResponseTopic = struct({
  topicName: { type: string, versions: '0+' },
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(DescribeShareGroupOffsetsResponsePartition), versions: '0+' },
});

const DescribeShareGroupOffsetsResponseGroup = struct({
  groupId: { type: string, versions: '0+' },
  topics: { type: array(DescribeShareGroupOffsetsResponseTopic), versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

export const DescribeShareGroupOffsetsResponse = message({
  name: 'DescribeShareGroupOffsetsResponse',
  apiKey: 90,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    groups: { type: array(DescribeShareGroupOffsetsResponseGroup), versions: '0+' },
  },
});
export type DescribeShareGroupOffsetsResponse = Infer<typeof DescribeShareGroupOffsetsResponse>;
