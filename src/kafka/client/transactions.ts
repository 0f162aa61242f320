import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { ClientUsageError, codeOf, TransactionFailedError } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey, type TopicPartition } from './cluster-metadata.ts';
import { type CoordinatorType, findCoordinator } from './coordinator.ts';
import type { CommittedOffset, Committer } from './offsets.ts';
import type { ProducerId } from './producer-batch.ts';
import {
  addOffsets,
  addPartitions,
  commitOffsetsInTransaction,
  endTransaction,
  initProducer,
  type TransactionalId,
} from './transaction-requests.ts';

export interface TransactionsOptions {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly maxBlockMs: number;
}

export interface TransactionsOwner {
  /** Partitions were added: what waits for them may go. */
  added(): void;
  /** The transaction cannot be committed any more: what was not sent yet is not to be. */
  failed(error: unknown): void;
}

type State = 'uninitialized' | 'ready' | 'open' | 'failed' | 'committing' | 'aborting' | 'fatal';

/** What ends this producer: another one has its transactional id, or it may not have it. */
const fatalCodes: ReadonlySet<number | undefined> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.UNSUPPORTED_VERSION,
  ErrorCode.INVALID_TXN_STATE,
]);

/**
 * The transactions of one producer, one after another (KIP-98), in the protocol that partitions are added with before they are
 * written to.
 *
 *   uninitialized ── init ──▶ ready ── begin ──▶ open ── commit ──▶ committing ── EndTxn ──▶ ready
 *                                                 └─ an error ──▶ failed ── abort ──▶ aborting ── EndTxn ──▶ ready
 *   any ── PRODUCER_FENCED and its like ──▶ fatal
 */
export class Transactions {
  readonly transactionalId: string;
  readonly #cluster: Cluster;
  readonly #options: TransactionsOptions;
  readonly #owner: TransactionsOwner;
  #state: State = 'uninitialized';
  #producer: ProducerId | undefined;
  #failure: Error | undefined;
  readonly #coordinators = new Map<string, number>();
  readonly #added = new Set<string>();
  readonly #wanted = new Map<string, TopicPartition>();
  #adding: Promise<void> | undefined;
  /** A request that begins the transaction at its coordinator was made, or answered. */
  #mayBeBegun = false;
  #isBegun = false;
  /**
   * Something of this epoch may still arrive, or sequence numbers are in doubt: the next transaction begins under the next epoch,
   * so that nothing late counts as its own (KIP-360).
   */
  #epochIsSpent = false;

  constructor(cluster: Cluster, options: TransactionsOptions, owner: TransactionsOwner) {
    this.transactionalId = options.transactionalId;
    this.#cluster = cluster;
    this.#options = options;
    this.#owner = owner;
  }

  get producer(): ProducerId | undefined {
    return this.#producer;
  }

  /** Whether what fails is worth another attempt. */
  get mayGoOn(): boolean {
    return this.#state === 'open' || this.#state === 'committing';
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'failed';
  }

  /** What forbids to send now. */
  checkOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state === 'failed' || this.#state === 'fatal') throw this.#failure;
    throw new ClientUsageError('Cannot add a record or offsets outside of a transaction');
  }

  async init(): Promise<void> {
    if (this.#state === 'fatal') throw this.#failure;
    if (this.#state !== 'uninitialized') throw new ClientUsageError('Transactions are initialized already');
    this.#producer = await this.#ask((node) => initProducer(this.#cluster, node, this.#options, undefined));
    this.#state = 'ready';
  }

  begin(): void {
    if (this.#state === 'fatal') throw this.#failure;
    if (this.#state !== 'ready')
      throw new ClientUsageError(`Cannot begin a transaction: the producer is ${this.#state}`);
    this.#state = 'open';
  }

  /** From here on nothing joins the transaction. A commit that ran out of time may be asked for again. */
  beginEnding(commit: boolean): void {
    const wanted: State = commit ? 'committing' : 'aborting';
    if (this.#state === wanted) return;
    if (this.#state === 'fatal' || (commit && this.#state === 'failed')) throw this.#failure;
    if (this.#state !== 'open' && this.#state !== 'failed') {
      throw new ClientUsageError(`Cannot end a transaction: the producer is ${this.#state}`);
    }
    this.#state = wanted;
  }

  /** Once all that was sent is answered. */
  async end(commit: boolean): Promise<void> {
    await this.#adding;
    const wanted: State = commit ? 'committing' : 'aborting';
    if (this.#state !== wanted) throw this.#failure; // it failed meanwhile
    const isKnown = codeOf(this.#failure?.cause) !== ErrorCode.INVALID_PRODUCER_ID_MAPPING;
    if (isKnown && this.#mayBeBegun) {
      try {
        await this.#ask((node) => this.#endAt(node, commit));
      } catch (error) {
        if (codeOf(error) !== ErrorCode.REQUEST_TIMED_OUT) this.failed(error);
        throw error;
      }
    }
    this.#added.clear();
    this.#wanted.clear();
    this.#mayBeBegun = false;
    this.#isBegun = false;
    this.#failure = undefined;
    if (this.#epochIsSpent) {
      this.#producer = await this.#ask((node) => initProducer(this.#cluster, node, this.#options, this.#producer));
      this.#epochIsSpent = false;
    }
    this.#state = 'ready';
  }

  async #endAt(node: number, commit: boolean): Promise<void> {
    try {
      await endTransaction(this.#cluster, node, this.#identity, commit);
    } catch (error) {
      // Every attempt to begin it was refused or lost, so there is nothing to abort.
      if (codeOf(error) !== ErrorCode.INVALID_TXN_STATE || commit || this.#isBegun) throw error;
    }
  }

  covers(topic: string, partition: number): boolean {
    return this.#added.has(partitionKey(topic, partition));
  }

  /** Adds a partition, together with others that are wanted in the same turn. */
  want(topic: string, partition: number): void {
    this.#wanted.set(partitionKey(topic, partition), { topic, partition });
    if (this.#adding !== undefined || !this.mayGoOn) return;
    this.#adding = this.#add().finally(() => {
      this.#adding = undefined;
      if (this.#wanted.size > 0) this.#owner.added();
    });
  }

  async #add(): Promise<void> {
    await Promise.resolve();
    const partitions = [...this.#wanted.values()];
    this.#wanted.clear();
    this.#mayBeBegun = true;
    try {
      await this.#ask((node) => addPartitions(this.#cluster, node, this.#identity, partitions));
      this.#isBegun = true;
      for (const { topic, partition } of partitions) this.#added.add(partitionKey(topic, partition));
      this.#owner.added();
    } catch (error) {
      this.failed(error);
    }
  }

  async sendOffsets(offsets: readonly CommittedOffset[], committer: Committer): Promise<void> {
    this.checkOpen();
    if (offsets.length === 0) return;
    this.#mayBeBegun = true;
    try {
      await this.#ask((node) => addOffsets(this.#cluster, node, this.#identity, committer.groupId));
      this.#isBegun = true;
      const commit = (node: number): Promise<void> =>
        commitOffsetsInTransaction(this.#cluster, node, this.#identity, committer, offsets);
      await this.#ask(commit, committer.groupId, 'group');
    } catch (error) {
      this.failed(error);
      throw this.#failure;
    }
  }

  /** A batch failed for good. @param wasSent its sequence numbers may have been used */
  batchFailed(error: unknown, wasSent: boolean): void {
    if (wasSent) this.#epochIsSpent = true;
    // A partition refuses an epoch for other reasons too; the coordinator's word decides, at the end.
    this.failed(error, codeOf(error) !== ErrorCode.INVALID_PRODUCER_EPOCH);
  }

  failed(error: unknown, mayBeFatal = true): void {
    if (this.#state === 'fatal') return;
    const isFatal = mayBeFatal && fatalCodes.has(codeOf(error));
    if (!isFatal && !this.mayGoOn) return; // the first failure is the one that is told
    this.#failure = isFatal ? fatal(error) : new TransactionFailedError(error);
    this.#state = isFatal ? 'fatal' : 'failed';
    this.#owner.failed(error);
  }

  get #identity(): TransactionalId {
    return { transactionalId: this.transactionalId, producer: this.#producer! };
  }

  /** Until a coordinator answers for good. A fatal answer ends the producer. */
  async #ask<T>(
    attempt: (node: number) => Promise<T>,
    key = this.transactionalId,
    type: CoordinatorType = 'transaction',
  ): Promise<T> {
    try {
      return await this.#cluster.retrying(() => this.#askOnce(attempt, key, type), this.#options.maxBlockMs);
    } catch (error) {
      if (fatalCodes.has(codeOf(error))) {
        this.failed(error);
        throw this.#failure;
      }
      throw error;
    }
  }

  async #askOnce<T>(attempt: (node: number) => Promise<T>, key: string, type: CoordinatorType): Promise<T> {
    const where = `${type} ${key}`;
    const node = this.#coordinators.get(where) ?? (await findCoordinator(this.#cluster, key, type)).id;
    this.#coordinators.set(where, node);
    try {
      return await attempt(node);
    } catch (error) {
      const code = codeOf(error);
      const isUnanswered = code === ErrorCode.NETWORK_EXCEPTION || code === ErrorCode.REQUEST_TIMED_OUT;
      if (isUnanswered) this.#epochIsSpent = true;
      const isElsewhere = code === ErrorCode.NOT_COORDINATOR || code === ErrorCode.COORDINATOR_NOT_AVAILABLE;
      if (isUnanswered || isElsewhere) this.#coordinators.delete(where);
      throw error;
    }
  }
}

/** Old coordinators say of a fenced producer that its epoch is invalid. */
function fatal(error: unknown): Error {
  const isFenced = codeOf(error) === ErrorCode.INVALID_PRODUCER_EPOCH;
  return isFenced ? new KafkaError(ErrorCode.PRODUCER_FENCED, undefined, { cause: error }) : (error as Error);
}
