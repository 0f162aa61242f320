import { array, type Infer, int8, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/**
 * ListOffsets: finds offsets by timestamp, or the ends of a log.
 *
 * v1  one offset and its timestamp instead of a list of segment offsets
 * v2  isolation level; throttle time
 * v3  the broker throttles after it has answered (KIP-219)
 * v4  leader epochs in both directions (KIP-320)
 * v5  the client understands OFFSET_NOT_AVAILABLE
 * v6  flexible
 * v7  timestamp -3: the record with the largest timestamp (KIP-734)
 * v8  timestamp -4: the start of the local log (KIP-405)
 * v9  timestamp -5: the last offset in tiered storage (KIP-1005)
 * v10 a timeout for lookups in remote storage (KIP-1075)
 * v11 timestamp -6: the first offset not yet uploaded (KIP-1023)
 */

const ListOffsetsPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  currentLeaderEpoch: { type: int32, versions: '4+', default: -1, ignorable: true },
  /** Milliseconds, or a negative number with a meaning of its own. */
  timestamp: { type: int64, versions: '0+' },
  maxNumOffsets: { type: int32, versions: '0', default: 1 },
});

const ListOffsetsTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(ListOffsetsPartition), versions: '0+' },
});

export const ListOffsetsRequest = message({
  name: 'ListOffsetsRequest',
  apiKey: 2,
  versions: '0-11',
  flexible: '6+',
  fields: {
    replicaId: { type: int32, versions: '0+' },
    isolationLevel: { type: int8, versions: '2+' },
    topics: { type: array(ListOffsetsTopic), versions: '0+' },
    timeoutMs: { type: int32, versions: '10+', ignorable: true },
  },
});
export type ListOffsetsRequest = Infer<typeof ListOffsetsRequest>;

const ListOffsetsPartitionResponse = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  oldStyleOffsets: { type: array(int64), versions: '0' },
  timestamp: { type: int64, versions: '1+', default: -1 },
  offset: { type: int64, versions: '1+', default: -1 },
  leaderEpoch: { type: int32, versions: '4+', default: -1 },
});

const ListOffsetsTopicResponse = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(ListOffsetsPartitionResponse), versions: '0+' },
});

export const ListOffsetsResponse = message({
  name: 'ListOffsetsResponse',
  apiKey: 2,
  versions: '0-11',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: int32, versions: '2+', ignorable: true },
    topics: { type: array(ListOffsetsTopicResponse), versions: '0+' },
  },
});
export type ListOffsetsResponse = Infer<typeof ListOffsetsResponse>;
