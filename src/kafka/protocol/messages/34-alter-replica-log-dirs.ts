import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** AlterReplicaLogDirs: moves replicas between the log directories of a broker (KIP-113). */

const AlterReplicaLogDirTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const AlterReplicaLogDir = struct({
  path: { type: string, versions: '0+' },
  topics: { type: array(AlterReplicaLogDirTopic), versions: '0+' },
});

export const AlterReplicaLogDirsRequest = message({
  name: 'AlterReplicaLogDirsRequest',
  apiKey: 34,
  versions: '0-2',
  flexible: '2+',
  fields: {
    dirs: { type: array(AlterReplicaLogDir), versions: '0+' },
  },
});
export type AlterReplicaLogDirsRequest = Infer<typeof AlterReplicaLogDirsRequest>;

const AlterReplicaLogDirPartitionResult = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const AlterReplicaLogDirTopicResult = struct({
  topicName: { type: string, versions: '0+' },
  partitions: { type: array(AlterReplicaLogDirPartitionResult), versions: '0+' },
});

export const AlterReplicaLogDirsResponse = message({
  name: 'AlterReplicaLogDirsResponse',
  apiKey: 34,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(AlterReplicaLogDirTopicResult), versions: '0+' },
  },
});
export type AlterReplicaLogDirsResponse = Infer<typeof AlterReplicaLogDirsResponse>;
