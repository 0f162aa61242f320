import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** ReadShareGroupStateSummary: only where delivery starts (KIP-932). */

const PartitionData = struct({
  partition: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
});

const ReadStateSummaryData = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const ReadShareGroupStateSummaryRequest = message({
  name: 'ReadShareGroupStateSummaryRequest',
  apiKey: 87,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(ReadStateSummaryData), versions: '0+' },
  },
});
export type ReadShareGroupStateSummaryRequest = Infer<typeof ReadShareGroupStateSummaryRequest>;

const PartitionResult = struct({
  partition: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  stateEpoch: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
  deliveryCompleteCount: { type: int32, versions: '1+', default: -1, ignorable: true },
});

const ReadStateSummaryResult = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const ReadShareGroupStateSummaryResponse = message({
  name: 'ReadShareGroupStateSummaryResponse',
  apiKey: 87,
  versions: '0-1',
  flexible: '0+',
  fields: {
    results: { type: array(ReadStateSummaryResult), versions: '0+' },
  },
});
export type ReadShareGroupStateSummaryResponse = Infer<typeof ReadShareGroupStateSummaryResponse>;
