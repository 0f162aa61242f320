import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** ListPartitionReassignments: moves under way (KIP-455). */

const ListPartitionReassignmentsTopics = struct({
  name: { type: string, versions: '0+' },
  partitionIndexes: { type: array(int32), versions: '0+' },
});

export const ListPartitionReassignmentsRequest = message({
  name: 'ListPartitionReassignmentsRequest',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    timeoutMs: { type: int32, versions: '0+', default: 60_000 },
    topics: { type: array(ListPartitionReassignmentsTopics), versions: '0+', nullable: '0+', default: null },
  },
});
export type ListPartitionReassignmentsRequest = Infer<typeof ListPartitionReassignmentsRequest>;

const OngoingPartitionReassignment = struct({
  partitionIndex: { type: int32, versions: '0+' },
  replicas: { type: array(int32), versions: '0+' },
  addingReplicas: { type: array(int32), versions: '0+' },
  removingReplicas: { type: array(int32), versions: '0+' },
});

const OngoingTopicReassignment = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(OngoingPartitionReassignment), versions: '0+' },
});

export const ListPartitionReassignmentsResponse = message({
  name: 'ListPartitionReassignmentsResponse',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    topics: { type: array(OngoingTopicReassignment), versions: '0+' },
  },
});
export type ListPartitionReassignmentsResponse = Infer<typeof ListPartitionReassignmentsResponse>;
