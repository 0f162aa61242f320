import {
  array,
  bool,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  message,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/** LeaderAndIsr: the controller of a ZooKeeper cluster tells a broker which partitions it leads or follows. */

const LeaderAndIsrPartitionState = struct({
  topicName: { type: string, versions: '0-1', ignorable: true },
  partitionIndex: { type: int32, versions: '0+' },
  controllerEpoch: { type: int32, versions: '0+' },
  leader: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  isr: { type: array(int32), versions: '0+' },
  partitionEpoch: { type: int32, versions: '0+' },
  replicas: { type: array(int32), versions: '0+' },
  addingReplicas: { type: array(int32), versions: '3+', ignorable: true },
  removingReplicas: { type: array(int32), versions: '3+', ignorable: true },
  isNew: { type: bool, versions: '1+', ignorable: true },
  leaderRecoveryState: { type: int8, versions: '6+' },
});

const LeaderAndIsrTopicState = struct({
  topicName: { type: string, versions: '2+' },
  topicId: { type: uuid, versions: '5+', ignorable: true },
  partitionStates: { type: array(LeaderAndIsrPartitionState), versions: '2+' },
});

const LeaderAndIsrLiveLeader = struct({
  brokerId: { type: int32, versions: '0+' },
  hostName: { type: string, versions: '0+' },
  port: { type: int32, versions: '0+' },
});

export const LeaderAndIsrRequest = message({
  name: 'LeaderAndIsrRequest',
  apiKey: 4,
  versions: '0-7',
  flexible: '4+',
  fields: {
    controllerId: { type: int32, versions: '0+' },
    isKRaftController: { type: bool, versions: '7+' },
    controllerEpoch: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '2+', default: -1, ignorable: true },
    type: { type: int8, versions: '5+' },
    ungroupedPartitionStates: { type: array(LeaderAndIsrPartitionState), versions: '0-1' },
    topicStates: { type: array(LeaderAndIsrTopicState), versions: '2+' },
    liveLeaders: { type: array(LeaderAndIsrLiveLeader), versions: '0+' },
  },
});
export type LeaderAndIsrRequest = Infer<typeof LeaderAndIsrRequest>;

const LeaderAndIsrPartitionError = struct({
  topicName: { type: string, versions: '0-4', ignorable: true },
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const LeaderAndIsrTopicError = struct({
  topicId: { type: uuid, versions: '5+' },
  partitionErrors: { type: array(LeaderAndIsrPartitionError), versions: '5+' },
});

export const LeaderAndIsrResponse = message({
  name: 'LeaderAndIsrResponse',
  apiKey: 4,
  versions: '0-7',
  flexible: '4+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    partitionErrors: { type: array(LeaderAndIsrPartitionError), versions: '0-4' },
    topics: { type: array(LeaderAndIsrTopicError), versions: '5+' },
  },
});
export type LeaderAndIsrResponse = Infer<typeof LeaderAndIsrResponse>;
