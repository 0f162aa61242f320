import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { FetchResponse } from '../protocol/messages/01-fetch.ts';
import { type Batch, batchesOf, hasValidCrc, type TimestampType } from '../records/batch.ts';
import { readControlRecord } from '../records/control.ts';
import type { RecordHeader } from '../records/iterate.ts';
import { type LogRecord, recordsOf } from '../records/iterate.ts';

export interface ConsumerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since 1970; -1: none. */
  readonly timestamp: number;
  /** Undefined: the record is older than timestamps (magic 0). */
  readonly timestampType: TimestampType | undefined;
  /** A view on the answer that it came in: copy what is kept long. */
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

export interface FetchedOptions {
  readonly topic: string;
  /** Records before it are in the batches too, and not wanted. */
  readonly position: number;
  readonly readCommitted: boolean;
  /** `check.crcs`. */
  readonly checkCrcs: boolean;
}

/** The records of one partition's answer, decompressed batch by batch as they are taken. */
export class FetchedRecords {
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: FetchedOptions;
  readonly #batches: Iterator<Batch>;
  /** By first offset; each counts from there until its abort marker (KIP-98). */
  readonly #aborted: { readonly producerId: number; readonly firstOffset: number }[];
  readonly #abortedNow = new Set<number>();
  #batch: Batch | undefined;
  #records: Iterator<LogRecord, undefined> | undefined;
  #position: number;
  #isDone = false;

  constructor(answer: FetchedPartition, options: FetchedOptions) {
    this.#topic = options.topic;
    this.#partition = answer.partitionIndex;
    this.#options = options;
    this.#position = options.position;
    this.#batches = batchesOf(answer.records ?? { chunks: [], size: 0 });
    this.#aborted = [...(answer.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Where to go on: behind the last record taken, and behind what nobody is to see once all is taken. */
  get position(): number {
    return this.#position;
  }

  /** @throws KafkaError CORRUPT_MESSAGE; CompressionError, InvalidRecordError */
  next(): ConsumerRecord | undefined {
    while (!this.#isDone) {
      const record = this.#records?.next().value;
      if (record === undefined) {
        this.#nextBatch();
      } else if (record.offset >= this.#position) {
        this.#position = record.offset + 1;
        return this.#consumerRecord(record);
      }
    }
    return undefined;
  }

  #nextBatch(): void {
    if (this.#batch !== undefined) this.#position = Math.max(this.#position, this.#batch.header.lastOffset + 1);
    const next = this.#batches.next();
    this.#batch = next.done === true ? undefined : next.value;
    this.#isDone = this.#batch === undefined;
    this.#records = this.#batch === undefined ? undefined : this.#visibleRecords(this.#batch);
  }

  /** Undefined for what consumers do not see: markers, and what was aborted. */
  #visibleRecords(batch: Batch): Iterator<LogRecord, undefined> | undefined {
    const { header } = batch;
    if (this.#options.checkCrcs && !hasValidCrc(batch)) {
      throw new KafkaError(
        ErrorCode.CORRUPT_MESSAGE,
        `Record batch for partition ${this.#topic}-${this.#partition} at offset ${header.baseOffset} is invalid`,
      );
    }
    if (this.#options.readCommitted) {
      while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= header.lastOffset) {
        this.#abortedNow.add(this.#aborted.shift()!.producerId);
      }
      if (header.isControl) {
        const control = readControlRecord(batch);
        if (control.kind === 'endTxn' && !control.committed) this.#abortedNow.delete(header.producerId);
      } else if (header.isTransactional && this.#abortedNow.has(header.producerId)) {
        return undefined;
      }
    }
    return header.isControl ? undefined : recordsOf(batch);
  }

  #consumerRecord({ offset, timestamp, key, value, headers }: LogRecord): ConsumerRecord {
    const { magic, timestampType } = this.#batch!.header;
    return {
      topic: this.#topic,
      partition: this.#partition,
      offset,
      timestamp,
      timestampType: magic === 0 ? undefined : timestampType,
      key,
      value,
      headers,
    };
  }
}
