import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** DeleteRecords: moves the log start offset forward. */

const DeleteRecordsPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  offset: { type: int64, versions: '0+' },
});

const DeleteRecordsTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(DeleteRecordsPartition), versions: '0+' },
});

export const DeleteRecordsRequest = message({
  name: 'DeleteRecordsRequest',
  apiKey: 21,
  versions: '0-2',
  flexible: '2+',
  fields: {
    topics: { type: array(DeleteRecordsTopic), versions: '0+' },
    timeoutMs: { type: int32, versions: '0+' },
  },
});
export type DeleteRecordsRequest = Infer<typeof DeleteRecordsRequest>;

const DeleteRecordsPartitionResult = struct({
  partitionIndex: { type: int32, versions: '0+' },
  lowWatermark: { type: int64, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const DeleteRecordsTopicResult = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(DeleteRecordsPartitionResult), versions: '0+' },
});

export const DeleteRecordsResponse = message({
  name: 'DeleteRecordsResponse',
  apiKey: 21,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    topics: { type: array(DeleteRecordsTopicResult), versions: '0+' },
  },
});
export type DeleteRecordsResponse = Infer<typeof DeleteRecordsResponse>;
