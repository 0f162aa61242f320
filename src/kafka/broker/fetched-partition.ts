import { noSlices, type Slices } from '../../base/slices.ts';
import type { LogConfig } from '../log/log-config.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { FetchResponse } from '../protocol/messages/01-fetch.ts';
import type { FetchConversionOptions } from '../records/fetch-conversion.ts';
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

/** What has to be done for a client of before magic 2: with `records` they have to be converted, else `data` is what it gets. */
export function conversionOf(
  apiVersion: number,
  fetched: Fetched,
): {
  readonly data: PartitionData;
  readonly records: Slices | undefined;
  readonly options: FetchConversionOptions;
} {
  const { config, isFromFollower, fetchOffset, takenBytes } = fetched;
  const magic = apiVersion < FIRST_VERSION_WITH_MAGIC_1 ? 0 : 1;
  const options = { magic, firstOffset: fetchOffset, takenBytes } as const;
  const data = inReachOf(apiVersion, fetched);
  if (config === undefined || data.records === null) return { data, records: undefined, options };
  if (!config.messageDownconversionEnable && !isFromFollower) {
    const refused = withoutRecords(data.partitionIndex, ErrorCode.UNSUPPORTED_VERSION);
    return { data: refused, records: undefined, options };
  }
  return { data, records: data.records, options };
}

export function withoutRecords(partitionIndex: number, errorCode: number): PartitionData {
  return { ...refusedPartition(partitionIndex, errorCode), records: null };
}

function knownError(apiVersion: number, errorCode: number): number {
  return errorCode === ErrorCode.KAFKA_STORAGE_ERROR && apiVersion < FIRST_VERSION_WITH_STORAGE_ERROR
    ? ErrorCode.NOT_LEADER_OR_FOLLOWER
    : errorCode;
}
