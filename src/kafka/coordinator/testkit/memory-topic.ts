import { concatSlices, type Slices } from '../../../base/slices.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { batchesOf, NO_PRODUCER_ID } from '../../records/batch.ts';
import { type BatchOptions, buildBatch } from '../../records/builder.ts';
import { buildEndTxnMarker } from '../../records/control.ts';
import { recordsOf } from '../../records/iterate.ts';
import type {
  BatchProducer,
  CoordinatorRecord,
  EndTxnMarker,
  LogRange,
  LogSlice,
  TransactionalLog,
} from '../coordinator-log.ts';

interface StoredBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Slices;
}

/** Reads give less than is asked for, as real ones may. */
const READ_BYTES_MAX = 64 * 1024;

type Done = (errorCode: number) => void;

/** How a coordinator's records look in its topic. */
export interface RecordForm<R> {
  readonly encode: (record: R) => CoordinatorRecord;
  /** Undefined for what the coordinator passes over. */
  readonly decode: (key: Uint8Array, value: Uint8Array | null) => R | undefined;
}

/** An internal topic in memory: batches as bytes, and replicas that answer when a test wants them to. */
export class MemoryTopic<R> implements TransactionalLog {
  readonly #count: number;
  readonly #form: RecordForm<R>;
  readonly #batches = new Map<number, StoredBatch[]>();
  readonly #leading = new Set<number>();
  /** What the next appends meet: an error, whether the batch is written all the same. */
  readonly failures: { errorCode: number; isWritten: boolean }[] = [];
  /** Appends wait for `commit`. */
  isHeld = false;
  readonly #held: (() => void)[] = [];
  /** What the next read meets. */
  readError: number = ErrorCode.NONE;
  /** How often somebody began to read a partition. */
  loadCount = 0;

  constructor(partitionCount: number, form: RecordForm<R>) {
    this.#count = partitionCount;
    this.#form = form;
    for (let partition = 0; partition < partitionCount; partition += 1) this.lead(partition);
  }

  lead(partition: number): void {
    this.#leading.add(partition);
  }

  resign(partition: number): void {
    this.#leading.delete(partition);
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** The replicas have what waits: all of it, or the first appends. */
  commit(count = this.#held.length): void {
    for (const release of this.#held.splice(0, count)) release();
  }

  partitionCount(): number {
    return this.#count;
  }

  append(partition: number, records: readonly CoordinatorRecord[], done: Done, producer?: BatchProducer): void {
    const isTransactional = producer !== undefined && producer.producerId !== NO_PRODUCER_ID;
    const options = producer && { ...producer, baseSequence: 0, isTransactional };
    this.#append(partition, () => this.#write(partition, records, options), done);
  }

  appendMarker(partition: number, { producerId, committed }: EndTxnMarker, done: Done): void {
    this.#append(partition, () => this.endTransaction(partition, producerId, committed), done);
  }

  #append(partition: number, write: () => void, done: Done): void {
    if (!this.#leading.has(partition)) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const failure = this.failures.shift();
    if (failure?.isWritten !== false) write();
    const errorCode = failure?.errorCode ?? ErrorCode.NONE;
    if (this.isHeld) this.#held.push(() => done(errorCode));
    else done(errorCode);
  }

  range(partition: number): LogRange | undefined {
    this.loadCount += 1;
    return this.#leading.has(partition) ? { startOffset: 0, endOffset: this.endOffset(partition) } : undefined;
  }

  read(partition: number, offset: number, bytesMax: number, done: (slice: LogSlice) => void): void {
    const following = this.#of(partition).filter(({ nextOffset }) => nextOffset > offset);
    const taken: Slices[] = [];
    let size = 0;
    for (const { bytes } of following) {
      if (taken.length > 0 && size + bytes.size > Math.min(bytesMax, READ_BYTES_MAX)) break;
      taken.push(bytes);
      size += bytes.size;
    }
    done({ errorCode: this.readError, batches: concatSlices(taken) });
  }

  // ---- what a test puts there itself, and looks at

  endOffset(partition: number): number {
    return this.#of(partition).at(-1)?.nextOffset ?? 0;
  }

  batchCount(partition: number): number {
    return this.#of(partition).length;
  }

  put(partition: number, records: readonly R[], options: BatchOptions = {}): void {
    this.#write(partition, records.map(this.#form.encode), options);
  }

  putRaw(partition: number, records: readonly { key: Uint8Array; value: Uint8Array | null }[]): void {
    this.#write(partition, records);
  }

  endTransaction(partition: number, producerId: number, committed: boolean): void {
    const baseOffset = this.endOffset(partition);
    const bytes = buildEndTxnMarker({
      committed,
      coordinatorEpoch: 0,
      producerId,
      producerEpoch: 0,
      timestampMs: 0,
      baseOffset,
    });
    this.#of(partition).push({ baseOffset, nextOffset: baseOffset + 1, bytes });
  }

  /** Compaction removes a batch. */
  drop(partition: number, index: number): void {
    this.#of(partition).splice(index, 1);
  }

  records(partition: number): R[] {
    return this.#of(partition).flatMap(({ bytes }) =>
      [...batchesOf(bytes)].flatMap((batch) =>
        batch.header.isControl
          ? []
          : [...recordsOf(batch)].flatMap(({ key, value }) => this.#form.decode(key as Uint8Array, value) ?? []),
      ),
    );
  }

  #write(partition: number, records: readonly CoordinatorRecord[], options: BatchOptions = {}): void {
    const baseOffset = this.endOffset(partition);
    const bytes = buildBatch({
      ...options,
      baseOffset,
      records: records.map(({ key, value }) => ({ key, value, timestamp: 0, headers: [] })),
    });
    this.#of(partition).push({ baseOffset, nextOffset: baseOffset + records.length, bytes });
  }

  #of(partition: number): StoredBatch[] {
    let batches = this.#batches.get(partition);
    if (batches === undefined) {
      batches = [];
      this.#batches.set(partition, batches);
    }
    return batches;
  }
}
