import { array, type Infer, int8, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** AlterPartition: a leader asks the controller to change the ISR (KIP-497). */

const BrokerState = struct({
  brokerId: { type: int32, versions: '3+' },
  brokerEpoch: { type: int64, versions: '3+', default: -1 },
});

const PartitionData = struct({
  partitionIndex: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  newIsr: { type: array(int32), versions: '0-2' },
  newIsrWithEpochs: { type: array(BrokerState), versions: '3+' },
  leaderRecoveryState: { type: int8, versions: '1+' },
  partitionEpoch: { type: int32, versions: '0+' },
});

const TopicData = struct({
  topicName: { type: string, versions: '0-1', ignorable: true },
  topicId: { type: uuid, versions: '2+', ignorable: true },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const AlterPartitionRequest = message({
  name: 'AlterPartitionRequest',
  apiKey: 56,
  versions: '0-3',
  flexible: '0+',
  fields: {
    brokerId: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '0+', default: -1 },
    topics: { type: array(TopicData), versions: '0+' },
  },
});
export type AlterPartitionRequest = Infer<typeof AlterPartitionRequest>;

const PartitionResult = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  leaderId: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  isr: { type: array(int32), versions: '0+' },
  leaderRecoveryState: { type: int8, versions: '1+', ignorable: true },
  partitionEpoch: { type: int32, versions: '0+' },
});

const TopicResult = struct({
  topicName: { type: string, versions: '0-1', ignorable: true },
  topicId: { type: uuid, versions: '2+', ignorable: true },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const AlterPartitionResponse = message({
  name: 'AlterPartitionResponse',
  apiKey: 56,
  versions: '0-3',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    topics: { type: array(TopicResult), versions: '0+' },
  },
});
export type AlterPartitionResponse = Infer<typeof AlterPartitionResponse>;
