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

/** UpdateMetadata: the controller tells every broker who leads what and who is alive. */

const UpdateMetadataPartitionState = struct({
  topicName: { type: string, versions: '0-4', ignorable: true },
  partitionIndex: { type: int32, versions: '0+' },
  controllerEpoch: { type: int32, versions: '0+' },
  leader: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  isr: { type: array(int32), versions: '0+' },
  zkVersion: { type: int32, versions: '0+' },
  replicas: { type: array(int32), versions: '0+' },
  offlineReplicas: { type: array(int32), versions: '4+', ignorable: true },
});

const UpdateMetadataTopicState = struct({
  topicName: { type: string, versions: '5+' },
  topicId: { type: uuid, versions: '7+', ignorable: true },
  partitionStates: { type: array(UpdateMetadataPartitionState), versions: '5+' },
});

const UpdateMetadataEndpoint = struct({
  port: { type: int32, versions: '1+' },
  host: { type: string, versions: '1+' },
  listener: { type: string, versions: '3+', ignorable: true },
  securityProtocol: { type: int16, versions: '1+' },
});

const UpdateMetadataBroker = struct({
  id: { type: int32, versions: '0+' },
  v0Host: { type: string, versions: '0', ignorable: true },
  v0Port: { type: int32, versions: '0', ignorable: true },
  endpoints: { type: array(UpdateMetadataEndpoint), versions: '1+', ignorable: true },
  rack: { type: string, versions: '2+', nullable: '0+', ignorable: true },
});

export const UpdateMetadataRequest = message({
  name: 'UpdateMetadataRequest',
  apiKey: 6,
  versions: '0-8',
  flexible: '6+',
  fields: {
    controllerId: { type: int32, versions: '0+' },
    isKRaftController: { type: bool, versions: '8+' },
    type: { type: int8, versions: '8+', tag: 0 },
    controllerEpoch: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '5+', default: -1, ignorable: true },
    ungroupedPartitionStates: { type: array(UpdateMetadataPartitionState), versions: '0-4' },
    topicStates: { type: array(UpdateMetadataTopicState), versions: '5+' },
    liveBrokers: { type: array(UpdateMetadataBroker), versions: '0+' },
  },
});
export type UpdateMetadataRequest = Infer<typeof UpdateMetadataRequest>;

export const UpdateMetadataResponse = message({
  name: 'UpdateMetadataResponse',
  apiKey: 6,
  versions: '0-8',
  flexible: '6+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
  },
});
export type UpdateMetadataResponse = Infer<typeof UpdateMetadataResponse>;
