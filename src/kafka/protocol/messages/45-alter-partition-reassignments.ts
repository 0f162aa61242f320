import { array, bool, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** AlterPartitionReassignments: starts or cancels moves of replicas (KIP-455). */

const ReassignablePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  replicas: { type: array(int32), versions: '0+', nullable: '0+', default: null },
});

const ReassignableTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(ReassignablePartition), versions: '0+' },
});

export const AlterPartitionReassignmentsRequest = message({
  name: 'AlterPartitionReassignmentsRequest',
  apiKey: 45,
  versions: '0-1',
  flexible: '0+',
  fields: {
    timeoutMs: { type: int32, versions: '0+', default: 60_000 },
    allowReplicationFactorChange: { type: bool, versions: '1+', default: true },
    topics: { type: array(ReassignableTopic), versions: '0+' },
  },
});
export type AlterPartitionReassignmentsRequest = Infer<typeof AlterPartitionReassignmentsRequest>;

const ReassignablePartitionResponse = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
});

const ReassignableTopicResponse = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(ReassignablePartitionResponse), versions: '0+' },
});

export const AlterPartitionReassignmentsResponse = message({
  name: 'AlterPartitionReassignmentsResponse',
  apiKey: 45,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    allowReplicationFactorChange: { type: bool, versions: '1+', default: true, ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    responses: { type: array(ReassignableTopicResponse), versions: '0+' },
  },
});
export type AlterPartitionReassignmentsResponse = Infer<typeof AlterPartitionReassignmentsResponse>;
