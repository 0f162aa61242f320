import { array, bool, type Infer, int8, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** WriteTxnMarkers: the transaction coordinator has commit or abort markers written by the partition leaders. */

const WritableTxnMarkerTopic = struct({
  name: { type: string, versions: '0+' },
  partitionIndexes: { type: array(int32), versions: '0+' },
});

const WritableTxnMarker = struct({
  producerId: { type: int64, versions: '0+' },
  producerEpoch: { type: int16, versions: '0+' },
  transactionResult: { type: bool, versions: '0+' },
  topics: { type: array(WritableTxnMarkerTopic), versions: '0+' },
  coordinatorEpoch: { type: int32, versions: '0+' },
  transactionVersion: { type: int8, versions: '2+', ignorable: true },
});

export const WriteTxnMarkersRequest = message({
  name: 'WriteTxnMarkersRequest',
  apiKey: 27,
  versions: '0-2',
  flexible: '1+',
  fields: {
    markers: { type: array(WritableTxnMarker), versions: '0+' },
  },
});
export type WriteTxnMarkersRequest = Infer<typeof WriteTxnMarkersRequest>;

const WritableTxnMarkerPartitionResult = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const WritableTxnMarkerTopicResult = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(WritableTxnMarkerPartitionResult), versions: '0+' },
});

const WritableTxnMarkerResult = struct({
  producerId: { type: int64, versions: '0+' },
  topics: { type: array(WritableTxnMarkerTopicResult), versions: '0+' },
});

export const WriteTxnMarkersResponse = message({
  name: 'WriteTxnMarkersResponse',
  apiKey: 27,
  versions: '0-2',
  flexible: '1+',
  fields: {
    markers: { type: array(WritableTxnMarkerResult), versions: '0+' },
  },
});
export type WriteTxnMarkersResponse = Infer<typeof WriteTxnMarkersResponse>;
