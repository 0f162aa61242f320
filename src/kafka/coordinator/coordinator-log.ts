import type { Slices } from '../../base/slices.ts';
import type { Verification } from '../log/verifications.ts';

/** One record of an internal topic. A null value is a tombstone: compaction forgets the key. */
export interface CoordinatorRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** The producer whose transaction a batch of offsets belongs to: what it says counts once the transaction is committed. */
export interface BatchProducer {
  /** -1: the batch is part of no transaction. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** What shows that the transaction may write here, where that is asked for. */
  readonly verification: Verification | undefined;
}

/** The end of a transaction, as its coordinator has it written into every partition. */
export interface EndTxnMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
  /** From 2 on each transaction has an epoch of its own (KIP-890); 0 where nothing is said. */
  readonly transactionVersion: number;
}

/** What a leader holds of a partition right now. */
export interface LogRange {
  readonly startOffset: number;
  /**
   * The log end, not the high watermark: a leader elected a moment ago may hold acknowledged records above a high watermark
   * that it has not caught up with, and what it holds it never truncates while it leads.
   */
  readonly endOffset: number;
}

export interface LogSlice {
  readonly errorCode: number;
  /**
   * Whole batches in order, the first of them holding the wanted offset or beginning after it (compaction leaves gaps). Empty
   * where nothing follows.
   */
  readonly batches: Slices;
}

/**
 * The partitions of one internal topic as their coordinator sees them: `__consumer_offsets` for groups. Whoever wires a broker
 * implements it over its partitions; a coordinator knows no other way to the disk.
 */
export interface CoordinatorLog {
  /** How many partitions the topic has; until it exists, how many it will get (`offsets.topic.num.partitions`). */
  partitionCount(): number;

  /**
   * Appends one batch with acks=all. `done` is called exactly once, now or later: with 0 once every in-sync replica has the
   * batch, else with the protocol's error. REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND say that the batch is in the
   * leader's log all the same; after UNKNOWN_SERVER_ERROR and KAFKA_STORAGE_ERROR it may be; after any other error it is not.
   * Batches of one partition stand in its log in the order of these calls.
   */
  append(partition: number, records: readonly CoordinatorRecord[], done: (errorCode: number) => void): void;

  /** Undefined where this broker does not lead the partition. */
  range(partition: number): LogRange | undefined;

  /**
   * Reads from an offset up to the log end: about `bytesMax`, but at least one batch. `done` is called exactly once, now or
   * later.
   */
  read(partition: number, offset: number, bytesMax: number, done: (slice: LogSlice) => void): void;
}

/** A topic that producers write to within their transactions, by way of its coordinator: `__consumer_offsets`. */
export interface TransactionalLog extends CoordinatorLog {
  /** With a producer the batch carries the sequence 0, as Apache's batches of offsets do, and may be part of a transaction. */
  append(
    partition: number,
    records: readonly CoordinatorRecord[],
    done: (errorCode: number) => void,
    producer?: BatchProducer,
  ): void;

  /** Appends the end of a transaction, in the order of the appends and with their outcomes. */
  appendMarker(partition: number, marker: EndTxnMarker, done: (errorCode: number) => void): void;
}
