import type { Slices } from '../../base/slices.ts';
import { BATCH_OVERHEAD, type CodecName } from '../records/batch.ts';
import { buildBatch, type NewRecord } from '../records/builder.ts';
import { recordSizeUpperBound } from '../records/write-record.ts';

export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 where the broker does not say (acks 0, a duplicate that it dropped). */
  readonly offset: number;
  /** ms; the broker's where the topic has append times. */
  readonly timestamp: number;
}

export interface ProducerId {
  readonly id: number;
  readonly epoch: number;
}

interface Waiter {
  resolve(metadata: RecordMetadata): void;
  reject(error: unknown): void;
}

/** Records of one partition that travel, fail and are retried together. */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly createdMs: number;
  readonly records: NewRecord[] = [];
  /** Settles with the batch; never rejects. */
  readonly finished: Promise<void>;
  /** Bytes before compression, at most. */
  size = BATCH_OVERHEAD;
  attempts = 0;
  /** Monotonic; a retry waits until then. */
  retryAtMs = 0;
  /** Set when the batch is sent for the first time; kept by every retry (KIP-98). -1: none yet. */
  baseSequence = -1;
  readonly #waiters: Waiter[] = [];
  #finish: () => void = () => undefined;
  #built:
    | { readonly producer: ProducerId | undefined; readonly baseSequence: number; readonly bytes: Slices }
    | undefined;

  constructor(topic: string, partition: number, createdMs: number) {
    this.topic = topic;
    this.partition = partition;
    this.createdMs = createdMs;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get count(): number {
    return this.records.length;
  }

  /** Whether another record keeps the batch within a size; the first one always has room. */
  hasRoomFor(record: NewRecord, sizeMax: number): boolean {
    return this.count === 0 || this.size + recordSizeUpperBound(record) <= sizeMax;
  }

  append(record: NewRecord, waiter: Waiter): void {
    this.records.push(record);
    this.#waiters.push(waiter);
    this.size += recordSizeUpperBound(record);
  }

  /** The batch's bytes; made once for every identity under which it is sent. */
  bytes(
    codec: CodecName,
    level: number | undefined,
    producer: ProducerId | undefined,
    isTransactional: boolean,
  ): Slices {
    const built = this.#built;
    if (built !== undefined && built.producer === producer && built.baseSequence === this.baseSequence)
      return built.bytes;
    const identity =
      producer === undefined
        ? {}
        : { producerId: producer.id, producerEpoch: producer.epoch, baseSequence: this.baseSequence, isTransactional };
    const bytes = buildBatch({ records: this.records, codec, level, ...identity });
    this.#built = { producer, baseSequence: this.baseSequence, bytes };
    return bytes;
  }

  /** Two batches of half the records, for a broker that takes no batch of this size. They share the sequence numbers. */
  split(): [ProducerBatch, ProducerBatch] {
    const halves: [ProducerBatch, ProducerBatch] = [this.#empty(), this.#empty()];
    const half = Math.ceil(this.count / 2);
    this.records.forEach((record, index) => {
      halves[index < half ? 0 : 1].append(record, this.#waiters[index]!);
    });
    if (this.baseSequence >= 0) {
      halves[0].baseSequence = this.baseSequence;
      halves[1].baseSequence = sequenceAfter(this.baseSequence, half);
    }
    Promise.all(halves.map(({ finished }) => finished)).then(this.#finish);
    return halves;
  }

  #empty(): ProducerBatch {
    const batch = new ProducerBatch(this.topic, this.partition, this.createdMs);
    batch.attempts = this.attempts;
    return batch;
  }

  /** @param baseOffset -1: unknown  @param appendTimeMs -1: the records' own times count */
  succeed(baseOffset: number, appendTimeMs: number): void {
    const { topic, partition } = this;
    this.#waiters.forEach((waiter, index) => {
      const timestamp = appendTimeMs >= 0 ? appendTimeMs : (this.records[index]!.timestamp ?? -1);
      waiter.resolve({ topic, partition, offset: baseOffset < 0 ? -1 : baseOffset + index, timestamp });
    });
    this.#finish();
  }

  /** @param errorOf of one record, by its index; the same for all by default */
  fail(error: unknown, errorOf: (index: number) => unknown = () => error): void {
    this.#waiters.forEach((waiter, index) => {
      waiter.reject(errorOf(index));
    });
    this.#finish();
  }
}

/** Sequence numbers wrap from 2^31-1 to 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 2_147_483_648;
}
