import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** DescribeProducers: the producer state of partitions (KIP-664). */

const TopicRequest = struct({
  name: { type: string, versions: '0+' },
  partitionIndexes: { type: array(int32), versions: '0+' },
});

export const DescribeProducersRequest = message({
  name: 'DescribeProducersRequest',
  apiKey: 61,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: { type: array(TopicRequest), versions: '0+' },
  },
});
export type DescribeProducersRequest = Infer<typeof DescribeProducersRequest>;

const ProducerState = struct({
  producerId: { type: int64, versions: '0+' },
  producerEpoch: { type: int32, versions: '0+' },
  lastSequence: { type: int32, versions: '0+', default: -1 },
  lastTimestamp: { type: int64, versions: '0+', default: -1 },
  coordinatorEpoch: { type: int32, versions: '0+' },
  currentTxnStartOffset: { type: int64, versions: '0+', default: -1 },
});

const PartitionResponse = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  activeProducers: { type: array(ProducerState), versions: '0+' },
});

const TopicResponse = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(PartitionResponse), versions: '0+' },
});

export const DescribeProducersResponse = message({
  name: 'DescribeProducersResponse',
  apiKey: 61,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    topics: { type: array(TopicResponse), versions: '0+' },
  },
});
export type DescribeProducersResponse = Infer<typeof DescribeProducersResponse>;
