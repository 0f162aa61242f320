import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** ElectLeaders: preferred election, from v1 unclean election too (KIP-460). */

const TopicPartitions = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ElectLeadersRequest = message({
  name: 'ElectLeadersRequest',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    electionType: { type: int8, versions: '1+' },
    topicPartitions: { type: array(TopicPartitions), versions: '0+', nullable: '0+' },
    timeoutMs: { type: int32, versions: '0+', default: 60_000 },
  },
});
export type ElectLeadersRequest = Infer<typeof ElectLeadersRequest>;

const PartitionResult = struct({
  partitionId: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
});

const ReplicaElectionResult = struct({
  topic: { type: string, versions: '0+' },
  partitionResult: { type: array(PartitionResult), versions: '0+' },
});

export const ElectLeadersResponse = message({
  name: 'ElectLeadersResponse',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '1+' },
    replicaElectionResults: { type: array(ReplicaElectionResult), versions: '0+' },
  },
});
export type ElectLeadersResponse = Infer<typeof ElectLeadersResponse>;
