import { assert, present } from '../../base/assert.ts';
import { type Slices, subSlices } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import {
  type BatchHeader,
  batchesOf,
  hasValidCrc,
  NO_TIMESTAMP,
  patchHeader,
  readBatchHeader,
} from '../records/batch.ts';
import { readControlRecord } from '../records/control.ts';
import { CorruptBatchError } from '../records/errors.ts';
import type { ValidatedRecords } from '../records/validation.ts';
import type { AppendQueue, QueuedWrite } from './append-queue.ts';
import type { LogState } from './log-state.ts';
import type { BatchPlace } from './log-tail.ts';
import { firstSequenceIn } from './producer-entry.ts';
import { learnFrom } from './producer-replay.ts';
import type { AppendOrigin, CompletedTransaction } from './producer-state.ts';
import type { HeldSpan } from './recent-batches.ts';
import { segmentFor } from './roll.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import type { Verification } from './verifications.ts';

export interface AppendInfo {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** Of the batch that holds the largest timestamp. */
  readonly offsetOfMaxTimestamp: number;
  readonly sizeInBytes: number;
  /** A producer repeated a batch: nothing was written, the offsets and the timestamp are those of the first time. */
  readonly isDuplicate: boolean;
}

/** Called once for every append, in the order of the appends. With an error nothing of the append may be acknowledged. */
export type AppendDone = (error: KafkaError | undefined, info: AppendInfo | undefined) => void;

/** Batches of magic 2 with their offsets and leader epoch in them, as `validateAndAssign` leaves them. */
export type NumberedRecords = Pick<ValidatedRecords, 'slices' | 'batches'>;

/** An append that has its offsets and its place, on its way to the file. */
export interface StagedAppend extends QueuedWrite {
  /** Released when the write is done. */
  readonly spans: readonly HeldSpan[];
  readonly info: AppendInfo;
  readonly endOffset: number;
  /** Transactions that its markers abort: into the index once the markers are in the file. */
  readonly aborted: readonly AbortedTransaction[];
  readonly done: AppendDone;
}

/** What an append has to show as part of a transaction. */
export interface TransactionRules {
  /** Given: a batch begins a transaction only if this one vouches for it (`transaction.partition.verification.enable`). */
  readonly verification?: Verification | undefined;
  /** Of the coordinator that has a marker written; 0 unless given. */
  readonly markerVersion?: number;
}

export type AppendRequest =
  | {
      readonly kind: 'lead';
      readonly records: NumberedRecords;
      readonly origin: AppendOrigin;
      readonly rules: TransactionRules;
      readonly done: AppendDone;
    }
  | { readonly kind: 'follow'; readonly records: Slices; readonly done: AppendDone };

/** Gives an append its place, or recognises it as a repetition; undefined without a batch. @throws KafkaError, DiskError, CorruptionError */
export function stage(
  log: LogState,
  queue: AppendQueue<StagedAppend>,
  request: AppendRequest,
): StagedAppend | AppendInfo | undefined {
  let numbered: NumberedRecords;
  if (request.kind === 'lead') {
    numbered = request.records;
    const duplicate = check(log, numbered, request);
    if (duplicate !== undefined) return duplicate;
  } else {
    numbered = acceptOffsets(log, request.records);
  }
  const { batches, slices } = numbered;
  if (batches.length === 0) return undefined;
  const info = describe(batches, slices);
  const { sizeInBytes } = info;
  if (sizeInBytes > log.config.segmentBytes) {
    throw new KafkaError(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `Message batch size is ${sizeInBytes} bytes in append to partition ${log.name}, which exceeds the maximum configured segment size of ${log.config.segmentBytes}.`,
    );
  }
  const segment = segmentFor(log, queue, info);
  const position = segment.reserve(info);
  const spans = remember(log, numbered, segment.baseOffset, position);
  const aborted = learn(log, numbered);
  const endOffset = info.lastOffset + 1;
  log.touched = true;
  log.nextOffset = endOffset;
  return { kind: 'write', segment, spans, sizeInBytes, info, endOffset, aborted, done: request.done };
}

/** Puts offsets and epoch into batches that are known to be right: what coordinators write, and markers. */
export function numberBatches(batches: Slices, firstOffset: number, leaderEpoch: number): NumberedRecords {
  const headers: BatchHeader[] = [];
  let slices = batches;
  let baseOffset = firstOffset;
  for (let position = 0; position < slices.size; ) {
    slices = patchHeader(slices, position, { baseOffset, partitionLeaderEpoch: leaderEpoch });
    const header = present(readBatchHeader(slices, position), 'a patched batch is whole', position);
    headers.push(header);
    baseOffset = header.lastOffset + 1;
    position += header.sizeInBytes;
  }
  return { slices, batches: headers };
}

type LeaderRequest = Extract<AppendRequest, { kind: 'lead' }>;

/** As leader: may these follow what is in the log? @throws KafkaError */
function check(log: LogState, { batches, slices }: NumberedRecords, request: LeaderRequest): AppendInfo | undefined {
  assert(
    (batches[0]?.baseOffset ?? log.nextOffset) === log.nextOffset,
    'a leader appends at its end',
    log.directory,
    log.nextOffset,
  );
  let at = 0;
  for (const header of batches) {
    const duplicate = header.producerId >= 0 ? checkProducer(log, header, request, slices, at) : undefined;
    if (duplicate !== undefined) return duplicate;
    at += header.sizeInBytes;
  }
  return undefined;
}

function checkProducer(
  log: LogState,
  header: BatchHeader,
  { origin, rules }: LeaderRequest,
  slices: Slices,
  at: number,
): AppendInfo | undefined {
  const { producers, verifications } = log;
  if (header.isControl) {
    const marker = readControlRecord({ header, bytes: subSlices(slices, at, at + header.sizeInBytes) });
    if (marker.kind === 'endTxn') producers.checkMarker(header, marker, rules.markerVersion);
    return undefined;
  }
  const { verification } = rules;
  const known = producers.check(header, origin, {
    verified: ({ isOngoing }) => {
      const begins = header.isTransactional && !isOngoing;
      if (begins && verification !== undefined) verifications.require(header, verification);
    },
    sequence: ({ hasBatches }) => verifications.checkSequence(header, hasBatches),
  });
  if (known === undefined) return undefined;
  const message = 'A producer repeated a batch; answering with its first offset';
  log.runtime.log.debug(message, {
    partition: log.name,
    producerId: header.producerId,
    sequence: firstSequenceIn(known),
  });
  return {
    firstOffset: known.lastOffset - known.offsetDelta,
    lastOffset: known.lastOffset,
    maxTimestamp: known.timestamp,
    offsetOfMaxTimestamp: known.lastOffset,
    sizeInBytes: 0,
    isDuplicate: true,
  };
}

/** As follower: the bytes stay as the leader sent them; a cut last batch is left out. @throws KafkaError */
function acceptOffsets(log: LogState, fetched: Slices): NumberedRecords {
  const headers: BatchHeader[] = [];
  let size = 0;
  let nextOffset = log.nextOffset;
  try {
    for (const batch of batchesOf(fetched)) {
      const { header } = batch;
      if (header.lastOffset < nextOffset || (header.magic === 2 && header.baseOffset < nextOffset)) {
        throw new KafkaError(
          ErrorCode.OFFSET_OUT_OF_RANGE,
          `Unexpected offset in append to ${log.name}. First offset ${header.baseOffset} is less than the next offset ${nextOffset}.`,
        );
      }
      if (!hasValidCrc(batch)) {
        throw new KafkaError(
          ErrorCode.CORRUPT_MESSAGE,
          `Record is corrupt (stored crc = ${header.crc}) in topic partition ${log.name}.`,
        );
      }
      headers.push(header);
      nextOffset = header.lastOffset + 1;
      size += header.sizeInBytes;
    }
  } catch (cause) {
    if (!(cause instanceof CorruptBatchError)) throw cause;
    throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, cause.message, { cause });
  }
  return { batches: headers, slices: subSlices(fetched, 0, size) };
}

function describe(batches: readonly BatchHeader[], slices: Slices): AppendInfo {
  const last = present(batches[batches.length - 1], 'an append has a batch');
  let maxTimestamp = NO_TIMESTAMP;
  let offsetOfMaxTimestamp = -1;
  for (const header of batches) {
    if (header.maxTimestamp <= maxTimestamp) continue;
    maxTimestamp = header.maxTimestamp;
    offsetOfMaxTimestamp = header.lastOffset;
  }
  return {
    firstOffset: batches[0]!.baseOffset,
    lastOffset: last.lastOffset,
    maxTimestamp,
    offsetOfMaxTimestamp,
    sizeInBytes: slices.size,
    isDuplicate: false,
  };
}

/** Into memory for those who read at the end; the answer is what to write. */
function remember(
  log: LogState,
  { batches, slices }: NumberedRecords,
  segmentBaseOffset: number,
  position: number,
): readonly HeldSpan[] {
  if (batches.length === 1) return log.tail.add(placeOf(batches[0]!, segmentBaseOffset, position), slices);
  const all: HeldSpan[] = [];
  let at = 0;
  for (const header of batches) {
    const place = placeOf(header, segmentBaseOffset, position + at);
    all.push(...log.tail.add(place, subSlices(slices, at, at + header.sizeInBytes)));
    at += header.sizeInBytes;
  }
  return all;
}

function placeOf({ baseOffset, lastOffset }: BatchHeader, segmentBaseOffset: number, position: number): BatchPlace {
  return { baseOffset, lastOffset, segmentBaseOffset, position };
}

/** Leader epochs and producers. */
function learn(log: LogState, { batches, slices }: NumberedRecords): readonly AbortedTransaction[] {
  let aborted: AbortedTransaction[] | undefined;
  let at = 0;
  for (const header of batches) {
    log.learnEpoch(header);
    const completed = header.producerId >= 0 ? learnProducer(log, header, slices, at) : undefined;
    if (completed?.aborted === true) {
      aborted ??= [];
      aborted.push(completed);
    }
    at += header.sizeInBytes;
  }
  return aborted ?? noTransactions;
}

function learnProducer(
  log: LogState,
  header: BatchHeader,
  slices: Slices,
  at: number,
): CompletedTransaction | undefined {
  if (header.isTransactional) log.verifications.end(header.producerId);
  return learnFrom(log.producers, header, () => subSlices(slices, at, at + header.sizeInBytes));
}

const noTransactions: readonly AbortedTransaction[] = [];
