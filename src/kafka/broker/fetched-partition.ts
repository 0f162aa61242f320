import { CompressionError } from '../../base/compression-error.ts';
import { noSlices, type Slices } from '../../base/slices.ts';
import type { LogConfig } from '../log/log-config.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { FetchResponse } from '../protocol/messages/01-fetch.ts';
import { CorruptBatchError, InvalidRecordError } from '../records/errors.ts';
import { convertingForFetch } from '../records/fetch-conversion.ts';
import { noLeader } from './current-leader.ts';

export type PartitionData = FetchResponse['responses'][number]['partitions'][number];

const noEpoch: PartitionData['divergingEpoch'] = { epoch: -1, endOffset: -1 };
const noSnapshot: PartitionData['snapshotId'] = { endOffset: -1, epoch: -1 };

/** A partition's part of an answer. */
export function partitionData(
  partitionIndex: number,
  known: Pick<
    PartitionData,
    'errorCode' | 'highWatermark' | 'lastStableOffset' | 'logStartOffset' | 'abortedTransactions' | 'records'
  >,
): PartitionData {
  return {
    partitionIndex,
    ...known,
    divergingEpoch: noEpoch,
    currentLeader: noLeader,
    snapshotId: noSnapshot,
    preferredReadReplica: -1,
  };
}

/** What is answered without having looked at the log (`FetchResponse.partitionResponse`); its list of aborted transactions is not null. */
export function refusedPartition(partitionIndex: number, errorCode: number): PartitionData {
  return partitionData(partitionIndex, {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: [],
    records: noSlices,
  });
}

export interface Fetched {
  readonly data: PartitionData;
  /** Undefined where no replica is known. */
  readonly config: LogConfig | undefined;
  readonly fetchOffset: number;
  readonly isFromFollower: boolean;
  /** What the records take of the answer's limit. */
  readonly takenBytes: number;
}

const FIRST_VERSION_WITH_ZSTD = 10;
export const FIRST_VERSION_WITH_MAGIC_2 = 4;
const FIRST_VERSION_WITH_MAGIC_1 = 2;
const FIRST_VERSION_WITH_STORAGE_ERROR = 6;

/** Clients that know magic 2 get records as they are, or an error that they understand (`KafkaApis.maybeConvertFetchedData`). */
export function inReachOf(apiVersion: number, { data, config }: Fetched): PartitionData {
  // Records of producers that chose zstd themselves are sent: not the topic but the consumer has to fail then.
  if (config?.compressionType === 'zstd' && apiVersion < FIRST_VERSION_WITH_ZSTD) {
    return withoutRecords(data.partitionIndex, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
  }
  return { ...data, errorCode: knownError(apiVersion, data.errorCode) };
}

/** Older ones get records in the format they know. Pauses where others may have their turn. */
export function* convertedFor(apiVersion: number, fetched: Fetched): Generator<void, PartitionData> {
  const { config, isFromFollower } = fetched;
  const data = inReachOf(apiVersion, fetched);
  if (config === undefined || data.records === null) return data;
  if (!config.messageDownconversionEnable && !isFromFollower) {
    return withoutRecords(data.partitionIndex, ErrorCode.UNSUPPORTED_VERSION);
  }
  const converted = yield* convert(apiVersion, data.records, fetched);
  return typeof converted === 'number'
    ? withoutRecords(data.partitionIndex, converted)
    : { ...data, records: converted };
}

function withoutRecords(partitionIndex: number, errorCode: number): PartitionData {
  return { ...refusedPartition(partitionIndex, errorCode), records: null };
}

function knownError(apiVersion: number, errorCode: number): number {
  return errorCode === ErrorCode.KAFKA_STORAGE_ERROR && apiVersion < FIRST_VERSION_WITH_STORAGE_ERROR
    ? ErrorCode.NOT_LEADER_OR_FOLLOWER
    : errorCode;
}

/** The records, or the error of those that cannot be converted. */
function* convert(
  apiVersion: number,
  records: Slices,
  { fetchOffset, takenBytes }: Fetched,
): Generator<void, Slices | number> {
  const magic = apiVersion < FIRST_VERSION_WITH_MAGIC_1 ? 0 : 1;
  try {
    return yield* convertingForFetch(records, { magic, firstOffset: fetchOffset, takenBytes });
  } catch (error) {
    if (error instanceof KafkaError) return error.code;
    const isCorrupt =
      error instanceof CorruptBatchError || error instanceof InvalidRecordError || error instanceof CompressionError;
    if (isCorrupt) return ErrorCode.UNKNOWN_SERVER_ERROR;
    throw error;
  }
}
