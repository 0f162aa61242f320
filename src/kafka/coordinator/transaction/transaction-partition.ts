import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { CoordinatorLog } from '../coordinator-log.ts';
import { ReplayedPartition } from '../replayed-partition.ts';
import type { Turns } from '../turns.ts';
import { inSlices } from './in-slices.ts';
import { Transaction, type TransactionMetadata } from './transaction.ts';
import type { TransactionConfig } from './transaction-config.ts';
import { decodeRecord, encodeRecord, type TransactionRecord } from './transaction-records.ts';

export interface TransactionPartitionOptions {
  readonly partition: number;
  /** The leader epoch of our election: markers carry it, so that those of an earlier coordinator come too late. */
  readonly coordinatorEpoch: number;
  readonly coordinatorLog: CoordinatorLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: TransactionConfig;
  readonly turns: Turns;
  /** A transaction whose end is in the log, but not yet in all its partitions. */
  readonly complete: (partition: TransactionPartition, transaction: Transaction) => void;
  /** What a transaction has become is in the log. */
  readonly changed: (transaction: Transaction) => void;
}

/** One partition of `__transaction_state` that this broker leads, and the transactional ids that it keeps. */
export class TransactionPartition {
  readonly partition: number;
  readonly coordinatorEpoch: number;
  readonly #options: TransactionPartitionOptions;
  readonly #replayed: ReplayedPartition<TransactionRecord>;
  #transactions = new Map<string, Transaction>();

  constructor(options: TransactionPartitionOptions) {
    this.#options = options;
    this.partition = options.partition;
    this.coordinatorEpoch = options.coordinatorEpoch;
    this.#replayed = new ReplayedPartition<TransactionRecord>({
      ...options,
      contents: 'transactions',
      readBytes: options.config.loadBufferBytes,
      // What not every replica has may be lost with this leader: markers must not tell of it, and nobody else either.
      isInForce: (errorCode) => errorCode === ErrorCode.NONE,
      state: {
        begin: () => {
          this.#transactions = new Map();
          return { replay: (key, value) => this.#replay(decodeRecord(key, value)), replayControl: () => undefined };
        },
        open: (isCurrent, done) => this.#open(isCurrent, done),
        abandon: () => {
          this.#transactions = new Map();
        },
      },
    });
  }

  /** What requests are told; 0 once loaded. */
  get errorCode(): number {
    return this.#replayed.errorCode;
  }

  get transactions(): ReadonlyMap<string, Transaction> {
    return this.#transactions;
  }

  load(): void {
    this.#replayed.load();
  }

  close(): void {
    this.#replayed.close();
  }

  /** Whether this is what the partition says of the id now: not before it was given up, or loaded again. */
  isCurrent(transaction: Transaction): boolean {
    return this.errorCode === ErrorCode.NONE && this.#transactions.get(transaction.id) === transaction;
  }

  add(transaction: Transaction): void {
    this.#transactions.set(transaction.id, transaction);
  }

  #replay(record: TransactionRecord | undefined): void {
    if (record === undefined) return;
    const { id, metadata } = record;
    if (metadata === null) this.#transactions.delete(id);
    else this.#transactions.set(id, new Transaction(id, metadata));
  }

  #become({ id, metadata }: TransactionRecord): void {
    if (metadata === null) {
      this.#transactions.delete(id);
      return;
    }
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return;
    transaction.become(this.#asDescribed(metadata, transaction.metadata));
    this.#options.changed(transaction);
  }

  /** Until 3.9 an id that has a new producer is described with the time of its last transaction; the record has none. */
  #asDescribed(metadata: TransactionMetadata, before: TransactionMetadata): TransactionMetadata {
    const keepsStart = metadata.state === 'Empty' && this.#options.config.version === 0;
    return keepsStart ? { ...metadata, startMs: before.startMs } : metadata;
  }

  /** Transactions that were ending when the last coordinator went are brought to their end. */
  #open(isCurrent: () => boolean, done: () => void): void {
    const { clock, turns, log, partition, complete } = this.#options;
    log.info('transactions are loaded', { partition, transactionalIds: this.#transactions.size });
    done();
    inSlices({
      clock,
      turns,
      items: [...this.#transactions.values()].values(),
      isCurrent,
      each: (transaction) => {
        const { state } = transaction.metadata;
        const isEnding = state === 'PrepareCommit' || state === 'PrepareAbort';
        // One that came to its end since then has its markers under way.
        if (isEnding && transaction.pending === undefined) complete(this, transaction);
      },
    });
  }

  /** Writes what a transaction becomes. `done` hears the error that clients are told; on failure nothing has changed. */
  append(transaction: Transaction, next: TransactionMetadata, done: (errorCode: number) => void): void {
    transaction.begin(next.state);
    this.appendAgain(transaction, next, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) transaction.pending = undefined;
      done(errorCode);
    });
  }

  /** The same for a change that is announced already, and stays so on failure. */
  appendAgain(transaction: Transaction, next: TransactionMetadata, done: (errorCode: number) => void): void {
    this.#write([{ id: transaction.id, metadata: next }], (errorCode) => {
      if (errorCode !== ErrorCode.NONE) done(appendError(errorCode));
      else done(this.isCurrent(transaction) ? ErrorCode.NONE : this.#errorOfLost());
    });
  }

  #write(records: readonly TransactionRecord[], done: (errorCode: number) => void): void {
    const { coordinatorLog, config, partition } = this.#options;
    const version = config.version >= 1 ? 1 : 0;
    const inForce = (): void => {
      for (const record of records) this.#become(record);
    };
    this.#replayed.write({ records, inForce, done }, (written) =>
      coordinatorLog.append(
        partition,
        records.map((record) => encodeRecord(record, version)),
        written,
      ),
    );
  }

  /** Appended, but no longer ours: whoever coordinates now finds it in the log. */
  #errorOfLost(): number {
    return this.errorCode === ErrorCode.NONE ? ErrorCode.NOT_COORDINATOR : this.errorCode;
  }

  /** Forgets transactional ids; those whose tombstones fail are remembered. */
  forget(expired: readonly Transaction[]): void {
    for (const transaction of expired) transaction.begin('Dead');
    const records = expired.map(({ id }) => ({ id, metadata: null }));
    this.#write(records, (errorCode) => {
      if (errorCode === ErrorCode.NONE) return;
      for (const transaction of expired) transaction.pending = undefined;
      this.#options.log.warn('transactional ids could not be forgotten', { partition: this.partition, errorCode });
    });
  }
}

/** An error of the partition as clients of a coordinator know it (`TransactionStateManager.appendTransactionToLog`). */
function appendError(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    default:
      return errorCode;
  }
}
