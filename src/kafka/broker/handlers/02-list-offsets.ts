import { build } from '../../../wire/schema.ts';
import { EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, type PartitionLog } from '../../log/log.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts';
import type { Isolation, Partition } from '../../replication/partition.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { allowedTopics } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Asked = ListOffsetsRequest['topics'][number]['partitions'][number];
type Result = ListOffsetsResponse['topics'][number]['partitions'][number];

const READ_COMMITTED = 1;
const CONSUMER_REPLICA_ID = -1;
/** Tiered storage's own timestamps; without it there is nothing there. */
const LATEST_TIERED_TIMESTAMP = -5;
const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6;
/** Negative timestamps ask for something else, each from a version on (`timestampMinSupportedVersion`). */
const firstVersions: ReadonlyMap<number, number> = new Map([
  [LATEST_TIMESTAMP, 0],
  [-2, 0],
  [-3, 7],
  [-4, 8],
  [LATEST_TIERED_TIMESTAMP, 9],
  [EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11],
]);

export function listOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListOffsetsRequest,
    response: ListOffsetsResponse,
    versions: '0-11',
    handle(request, context, responder) {
      const repeated = repeatedPartitions(request);
      const names = request.topics.map(({ name }) => name);
      const allowed = allowedTopics(broker, context, AclOperation.describe, names);
      const lookups = request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map((asked) => {
            if (!allowed.has(name)) return nothing(asked, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
            return context.apiVersion > 0 && repeated.has(`${name}/${asked.partitionIndex}`)
              ? nothing(asked, ErrorCode.INVALID_REQUEST)
              : lookUp(broker, request, name, asked, context.apiVersion);
          }),
        ),
      }));
      void Promise.all(lookups)
        .then((topics) => responder.answer(build(ListOffsetsResponse, { topics })))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

function repeatedPartitions({ topics }: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}/${partitionIndex}`;
      if (seen.has(key)) repeated.add(key);
      seen.add(key);
    }
  }
  return repeated;
}

function nothing({ partitionIndex }: Asked, errorCode: number): Result {
  return { partitionIndex, errorCode, oldStyleOffsets: [], timestamp: -1, offset: -1, leaderEpoch: -1 };
}

async function lookUp(
  broker: BrokerContext,
  request: ListOffsetsRequest,
  topic: string,
  asked: Asked,
  version: number,
): Promise<Result> {
  if (asked.timestamp < 0 && version < (firstVersions.get(asked.timestamp) ?? Infinity)) {
    return nothing(asked, ErrorCode.UNSUPPORTED_VERSION);
  }
  const result = nothing(asked, ErrorCode.NONE);
  try {
    const partition = broker.replicas.partition(topic, asked.partitionIndex);
    if (partition === undefined) {
      const known = broker.metadata.partition(topic, asked.partitionIndex) !== undefined;
      throw new KafkaError(known ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    const log = partition.leaderLog(asked.currentLeaderEpoch);
    if (version === 0) return { ...result, oldStyleOffsets: segmentOffsets(log, partition, asked) };
    const limit = partition.limitOf(isolationOf(request), log);
    // Before v4 an answer has no place for a leader epoch.
    const epoch = (known: number): number => (version >= 4 ? known : -1);
    if (asked.timestamp === LATEST_TIMESTAMP)
      return { ...result, offset: limit, leaderEpoch: epoch(partition.leaderEpoch) };
    if (asked.timestamp === LATEST_TIERED_TIMESTAMP || asked.timestamp === EARLIEST_PENDING_UPLOAD_TIMESTAMP)
      return result;
    const found = await find(log, asked.timestamp);
    const isStart = asked.timestamp === EARLIEST_TIMESTAMP || asked.timestamp === EARLIEST_LOCAL_TIMESTAMP;
    if (found === undefined || (!isStart && found.offset >= limit)) return result;
    return { ...result, timestamp: found.timestamp, offset: found.offset, leaderEpoch: epoch(found.leaderEpoch) };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return { ...result, errorCode: error.code };
  }
}

/** Who is no consumer sees all that there is. */
function isolationOf({ replicaId, isolationLevel }: ListOffsetsRequest): Isolation {
  if (replicaId !== CONSUMER_REPLICA_ID) return 'log-end';
  return isolationLevel === READ_COMMITTED ? 'committed' : 'high-watermark';
}

function find(
  log: PartitionLog,
  timestamp: number,
): Promise<{ timestamp: number; offset: number; leaderEpoch: number } | undefined> {
  return new Promise((resolve, reject) => {
    log.offsetForTimestamp(timestamp, (error, found) => (error === undefined ? resolve(found) : reject(error)));
  });
}

/** v0: the base offsets of segments that are older than the timestamp, newest first (`fetchOffsetsBefore`). */
function segmentOffsets(log: PartitionLog, partition: Partition, { timestamp, maxNumOffsets }: Asked): number[] {
  const end = partition.limitOf('high-watermark', log);
  const bases = log.segments.map(({ baseOffset }) => Math.max(baseOffset, log.logStartOffset));
  if (timestamp === -2) return bases.slice(0, 1);
  const candidates =
    timestamp === LATEST_TIMESTAMP ? [...bases, end] : bases.filter((_, index) => isOlder(log, index, timestamp));
  return [...new Set(candidates.reverse())].slice(0, maxNumOffsets);
}

function isOlder(log: PartitionLog, index: number, timestamp: number): boolean {
  const segment = log.segments[index];
  return segment !== undefined && segment.largestTimestamp <= timestamp;
}
