import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Purgatory } from '../../../runtime/purgatory.ts';
import { TimerWheel } from '../../../runtime/timer-wheel.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  type ListTransactionsRequest,
  ListTransactionsResponse,
} from '../../protocol/messages/66-list-transactions.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import { CoordinatedPartitions } from '../coordinated-partitions.ts';
import type { CoordinatorLog } from '../coordinator-log.ts';
import { partitionFor } from '../partition-for.ts';
import { Turns } from '../turns.ts';
import { decideAddPartitions, type PartitionsRequest, verifyPartition } from './add-partitions.ts';
import { type CompletionOptions, completeTransaction } from './completion.ts';
import { type DescribedTransaction, describeTransaction, listTransactions, notDescribed } from './describe.ts';
import { decideEnd, decideEndWithBump, decideFence, type EndRequest } from './end-transaction.ts';
import { inSlices } from './in-slices.ts';
import { decideInit, type InitRequest, type ProducerIdAndEpoch } from './init-producer-id.ts';
import { MarkerSender, type MarkerTransport } from './marker-sender.ts';
import { type Decision, EPOCH_BUMP_VERSION, newTransaction, type Transaction } from './transaction.ts';
import type { TransactionConfig } from './transaction-config.ts';
import { TransactionPartition } from './transaction-partition.ts';
import { isExpired, isTimedOut, tombstoneBatches } from './upkeep.ts';

export interface TransactionCoordinatorOptions {
  readonly coordinatorLog: CoordinatorLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: TransactionConfig;
  readonly transport: MarkerTransport;
  /** An id that no producer ever had. */
  readonly newProducerId: () => Promise<number>;
  /** Nothing is sent any more. */
  readonly onClose?: () => void;
}

/** Who the producer is from now on, or why not: then both are -1. */
export type ProducerAnswer = (errorCode: number, producer: ProducerIdAndEpoch) => void;

/** As long as brokers since 4.0 wait on behalf of newer clients (`add.partitions.to.txn.retry.backoff.max.ms`). */
const END_PATIENCE_MS = 100;

const nobody: ProducerIdAndEpoch = { producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH };

/**
 * Coordinates the transactions of the ids whose partition of `__transaction_state` this broker leads (KIP-98). Every method
 * answers through its callback exactly once, now or later.
 */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;
  readonly #turns = new Turns();
  readonly #partitions: CoordinatedPartitions<TransactionPartition>;
  readonly #completion: CompletionOptions;
  readonly #timers = new Map<string, Timer>();
  readonly #wheel: TimerWheel;
  /** Requests that wait for the end of a transaction. */
  readonly #purgatory: Purgatory<Transaction>;

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
    const turns = this.#turns;
    this.#wheel = new TimerWheel(options.clock);
    this.#purgatory = new Purgatory(this.#wheel);
    this.#completion = { ...options, turns, markers: new MarkerSender({ ...options, turns }) };
    this.#partitions = new CoordinatedPartitions({
      log: options.log,
      turns,
      role: 'transaction coordinator',
      newPartition: (partition, coordinatorEpoch) =>
        new TransactionPartition({
          ...options,
          partition,
          coordinatorEpoch,
          turns,
          complete: (of, transaction) => completeTransaction(this.#completion, of, transaction),
          changed: (transaction) => void this.#purgatory.check(transaction),
        }),
      goesOn: ({ coordinatorEpoch }, leaderEpoch) => coordinatorEpoch >= leaderEpoch,
    });
  }

  /** Begins to look for transactions that are open for too long, and for ids that nobody uses. */
  start(): void {
    const { abortIntervalMs, expiryIntervalMs } = this.#options.config;
    this.#every('abort', abortIntervalMs, (again) => this.#abortTimedOut(again));
    this.#every('expire', expiryIntervalMs, (again) => this.#expire(again));
  }

  #every(what: string, intervalMs: number, work: (again: () => void) => void): void {
    const next = (): void => {
      if (this.#partitions.isClosed) return;
      const timer = this.#options.clock.after(intervalMs, () => this.#turns.run(() => work(next)));
      this.#timers.set(what, timer);
    };
    next();
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#purgatory.close();
    this.#wheel.close();
    this.#completion.markers.close();
    this.#partitions.close();
    this.#options.onClose?.();
  }

  /** The partition of `__transaction_state` that keeps a transactional id. */
  partitionFor(transactionalId: string): number {
    return partitionFor(transactionalId, this.#options.coordinatorLog.partitionCount());
  }

  // ---- leadership

  /** Ends of transactions that wait for a partition to have a leader. */
  get homelessMarkerCount(): number {
    return this.#completion.markers.homelessCount;
  }

  /** This broker leads a partition of `__transaction_state` now. With a later epoch all begins anew: markers carry it. */
  onElected(partition: number, leaderEpoch: number): void {
    this.#partitions.onElected(partition, leaderEpoch);
  }

  /** Another broker leads the partition, or none. */
  onResigned(partition: number): void {
    this.#partitions.onResigned(partition);
  }

  // ---- the life of a transaction

  initProducerId(transactionalId: string, request: InitRequest, answer: ProducerAnswer): void {
    const { timeoutMaxMs } = this.#options.config;
    if (transactionalId === '') return answer(ErrorCode.INVALID_REQUEST, nobody);
    if (request.timeoutMs <= 0 || request.timeoutMs > timeoutMaxMs) {
      return answer(ErrorCode.INVALID_TRANSACTION_TIMEOUT, nobody);
    }
    const init = (newProducerId?: number): void =>
      this.#turns.run(() => this.#init(transactionalId, request, newProducerId, answer, init));
    init();
  }

  #init(
    id: string,
    request: InitRequest,
    newProducerId: number | undefined,
    answer: ProducerAnswer,
    again: (newProducerId: number) => void,
  ): void {
    const partition = this.#partitionOf(id);
    const errorCode = errorOf(partition);
    if (partition === undefined || errorCode !== ErrorCode.NONE) return answer(errorCode, nobody);
    const nowMs = this.#options.clock.wallMs();
    let transaction = partition.transactions.get(id);
    if (transaction === undefined) {
      if (newProducerId === undefined) return this.#withNewProducerId(again, answer);
      transaction = newTransaction(id, newProducerId, request.timeoutMs, nowMs);
      partition.add(transaction);
    }
    const decision = decideInit(transaction, request, newProducerId, nowMs);
    if (decision.kind === 'fence') {
      return this.#fence(partition, transaction, (failed) =>
        // The client asks again, and gets an epoch of its own once the transaction of the fenced producer is aborted.
        answer(failed === ErrorCode.NONE ? ErrorCode.CONCURRENT_TRANSACTIONS : failed, nobody),
      );
    }
    if (decision.kind === 'needs-producer-id') return this.#withNewProducerId(again, answer);
    this.#follow(partition, transaction, decision, (failed) => {
      if (failed !== ErrorCode.NONE) answer(failed, nobody);
      else answer(failed, (transaction as Transaction).metadata);
    });
  }

  #withNewProducerId(again: (newProducerId: number) => void, answer: ProducerAnswer): void {
    this.#options.newProducerId().then(again, () => answer(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, nobody));
  }

  /**
   * A producer begins its next transaction as soon as it knows how the last one ends, mostly before all partitions have heard of
   * it. Its request waits for that a while: refused, it would come again no earlier than after 20 ms.
   * @param clientVersion `transaction.version` that the client speaks
   */
  addPartitions(request: PartitionsRequest, clientVersion: number, answer: (errorCode: number) => void): void {
    const add = (hasWaited: boolean): void =>
      this.#turns.run(() => {
        const { errorCode, partition, transaction } = this.#transactionOf(request.transactionalId);
        if (transaction === undefined) return answer(errorCode);
        const decision = decideAddPartitions(transaction, request, clientVersion, this.#options.clock.wallMs());
        const comesEarly = decision.kind === 'refuse' && decision.errorCode === ErrorCode.CONCURRENT_TRANSACTIONS;
        if (comesEarly && transaction.isEnding && !hasWaited) this.#afterEnd(transaction, () => add(true));
        else this.#follow(partition, transaction, decision, answer);
      });
    add(false);
  }

  #afterEnd(transaction: Transaction, goOn: () => void): void {
    const tryComplete = (): boolean => {
      const hasEnded = !transaction.isEnding;
      if (hasEnded) goOn();
      return hasEnded;
    };
    this.#purgatory.watch({ tryComplete, expire: goOn }, [transaction], END_PATIENCE_MS);
  }

  /** Whether partitions belong to an open transaction; `answer` hears how to judge each of them. */
  verifyPartitions(
    request: PartitionsRequest,
    answer: (errorOf: (topic: string, partition: number) => number) => void,
  ): void {
    this.#turns.run(() => {
      const { errorCode, transaction } = this.#transactionOf(request.transactionalId);
      answer((topic, partition) =>
        transaction === undefined ? errorCode : verifyPartition(transaction, request, topic, partition),
      );
    });
  }

  /** Answered when it is certain that, and how, the transaction ends: its partitions hear of it afterwards. */
  endTransaction(request: EndRequest, clientVersion: number, answer: ProducerAnswer): void {
    const end = (newProducerId?: number): void =>
      this.#turns.run(() => {
        const { errorCode, partition, transaction } = this.#transactionOf(request.transactionalId);
        if (transaction === undefined) return answer(errorCode, nobody);
        const nowMs = this.#options.clock.wallMs();
        const decision =
          clientVersion >= EPOCH_BUMP_VERSION
            ? decideEndWithBump(transaction, request, newProducerId, nowMs)
            : decideEnd(transaction, request, nowMs);
        if (decision.kind === 'needs-producer-id') return this.#withNewProducerId(end, answer);
        const before = transaction.metadata;
        this.#follow(partition, transaction, decision, (failed) => {
          if (failed !== ErrorCode.NONE) return answer(failed, nobody);
          if (decision.kind === 'refuse') return answer(failed, before);
          answer(failed, completeTransaction(this.#completion, partition, transaction));
        });
      });
    end();
  }

  #follow(
    partition: TransactionPartition,
    transaction: Transaction,
    decision: Decision,
    done: (errorCode: number) => void,
  ): void {
    if (decision.kind === 'append') partition.append(transaction, decision.next, done);
    else done(decision.kind === 'refuse' ? decision.errorCode : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  }

  /** Aborts an open transaction under an epoch that its producer does not have. */
  #fence(partition: TransactionPartition, transaction: Transaction, done: (errorCode: number) => void): void {
    const { clock, config } = this.#options;
    const next = decideFence(transaction, config.version, clock.wallMs());
    const isBumpedByEnd = config.version >= EPOCH_BUMP_VERSION;
    if (!isBumpedByEnd) {
      // From here on the old epoch is refused, whether or not the new one reaches the log.
      transaction.metadata = { ...transaction.metadata, producerEpoch: next.producerEpoch };
    }
    partition.append(transaction, next, (errorCode) => {
      if (errorCode === ErrorCode.NONE) completeTransaction(this.#completion, partition, transaction);
      else transaction.hasFailedFence = !isBumpedByEnd;
      done(errorCode);
    });
  }

  // ---- administration

  describe(transactionalId: string, answer: (described: DescribedTransaction) => void): void {
    this.#turns.run(() => {
      const failed = (errorCode: number): void => answer(notDescribed(transactionalId, errorCode));
      if (this.#partitions.isClosed) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
      if (transactionalId === '') return failed(ErrorCode.INVALID_REQUEST);
      const partition = this.#partitionOf(transactionalId);
      const errorCode = errorOf(partition);
      if (errorCode !== ErrorCode.NONE) return failed(errorCode);
      const transaction = partition?.transactions.get(transactionalId);
      if (transaction === undefined) return failed(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
      answer(describeTransaction(transaction));
    });
  }

  /** What this broker coordinates; nothing while part of it is not loaded yet. */
  list(request: ListTransactionsRequest, answer: (response: ListTransactionsResponse) => void): void {
    this.#turns.run(() => {
      const partitions = [...this.#partitions.values()];
      const isLoading = partitions.some(({ errorCode }) => errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
      if (this.#partitions.isClosed)
        answer(build(ListTransactionsResponse, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }));
      else if (isLoading) {
        answer(build(ListTransactionsResponse, { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }));
      } else {
        const all = partitions.flatMap(({ transactions }) => [...transactions.values()]);
        answer(listTransactions(all, request, this.#options.clock.wallMs()));
      }
    });
  }

  // ---- from time to time

  #abortTimedOut(done: () => void): void {
    this.#lookThrough((partition, transaction) => {
      if (!isTimedOut(transaction, this.#options.clock.wallMs())) return;
      const { id } = transaction;
      this.#fence(partition, transaction, (errorCode) =>
        this.#options.log.info('a transaction was open for too long and is aborted', {
          transactionalId: id,
          errorCode,
        }),
      );
    }, done);
  }

  #expire(done: () => void): void {
    const { clock, config } = this.#options;
    const beforeMs = clock.wallMs() - config.idExpirationMs;
    const expired = new Map<TransactionPartition, Transaction[]>();
    this.#lookThrough(
      (partition, transaction) => {
        if (!isExpired(transaction, beforeMs)) return;
        const found = expired.get(partition);
        if (found === undefined) expired.set(partition, [transaction]);
        else found.push(transaction);
      },
      () => {
        for (const [partition, found] of expired) {
          // Some may have come back to life since they were looked at.
          const dead = found.filter((one) => partition.isCurrent(one) && isExpired(one, beforeMs));
          for (const batch of tombstoneBatches(dead)) partition.forget(batch);
        }
        done();
      },
    );
  }

  #lookThrough(each: (partition: TransactionPartition, transaction: Transaction) => void, done: () => void): void {
    inSlices({
      clock: this.#options.clock,
      turns: this.#turns,
      items: this.#all(),
      isCurrent: () => !this.#partitions.isClosed,
      each: ({ partition, transaction }) => {
        if (partition.isCurrent(transaction)) each(partition, transaction);
      },
      done,
    });
  }

  *#all(): Iterator<{ partition: TransactionPartition; transaction: Transaction }> {
    for (const partition of [...this.#partitions.values()]) {
      for (const transaction of [...partition.transactions.values()]) yield { partition, transaction };
    }
  }

  // ---- who coordinates what

  #partitionOf(transactionalId: string): TransactionPartition | undefined {
    return this.#partitions.get(this.partitionFor(transactionalId));
  }

  /** A transactional id that somebody has asked a producer id for, or why there is none. */
  #transactionOf(id: string): Found {
    if (id === '') return { errorCode: ErrorCode.INVALID_REQUEST };
    const partition = this.#partitionOf(id);
    const errorCode = errorOf(partition);
    if (partition === undefined || errorCode !== ErrorCode.NONE) return { errorCode };
    const transaction = partition.transactions.get(id);
    if (transaction === undefined) return { errorCode: ErrorCode.INVALID_PRODUCER_ID_MAPPING };
    return { errorCode: ErrorCode.NONE, partition, transaction };
  }
}

type Found =
  | { readonly errorCode: number; readonly partition?: undefined; readonly transaction?: undefined }
  | { readonly errorCode: 0; readonly partition: TransactionPartition; readonly transaction: Transaction };

function errorOf(partition: TransactionPartition | undefined): number {
  return partition?.errorCode ?? ErrorCode.NOT_COORDINATOR;
}
