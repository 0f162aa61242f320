import { array, bool, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** StopReplica: the controller tells a broker to stop, and perhaps to delete, replicas. */

const StopReplicaPartitionV0 = struct({
  topicName: { type: string, versions: '0' },
  partitionIndex: { type: int32, versions: '0' },
});

const StopReplicaTopicV1 = struct({
  name: { type: string, versions: '1-2' },
  partitionIndexes: { type: array(int32), versions: '1-2' },
});

const StopReplicaPartitionState = struct({
  partitionIndex: { type: int32, versions: '3+' },
  leaderEpoch: { type: int32, versions: '3+', default: -1 },
  deletePartition: { type: bool, versions: '3+' },
});

const StopReplicaTopicState = struct({
  topicName: { type: string, versions: '3+' },
  partitionStates: { type: array(StopReplicaPartitionState), versions: '3+' },
});

export const StopReplicaRequest = message({
  name: 'StopReplicaRequest',
  apiKey: 5,
  versions: '0-4',
  flexible: '2+',
  fields: {
    controllerId: { type: int32, versions: '0+' },
    isKRaftController: { type: bool, versions: '4+' },
    controllerEpoch: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '1+', default: -1, ignorable: true },
    deletePartitions: { type: bool, versions: '0-2' },
    ungroupedPartitions: { type: array(StopReplicaPartitionV0), versions: '0' },
    topics: { type: array(StopReplicaTopicV1), versions: '1-2' },
    topicStates: { type: array(StopReplicaTopicState), versions: '3+' },
  },
});
export type StopReplicaRequest = Infer<typeof StopReplicaRequest>;

const StopReplicaPartitionError = struct({
  topicName: { type: string, versions: '0+' },
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

export const StopReplicaResponse = message({
  name: 'StopReplicaResponse',
  apiKey: 5,
  versions: '0-4',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    partitionErrors: { type: array(StopReplicaPartitionError), versions: '0+' },
  },
});
export type StopReplicaResponse = Infer<typeof StopReplicaResponse>;
