import { assert } from '../../../base/assert.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import { noPartitions, type PartitionSet } from './partition-set.ts';

/*
 * The life of a transactional id:
 *
 *   InitProducerId ──► Empty ──AddPartitions, AddOffsets──► Ongoing ──EndTxn──► PrepareCommit ──markers──► CompleteCommit
 *                        ▲                                   │  ▲        └────► PrepareAbort  ──markers──► CompleteAbort
 *                        │                                   │  └────────AddPartitions, AddOffsets────────────┤
 *                        └───────────InitProducerId──────────┼────────────────────────────────────────────────┘
 *                                                            └─ time-out, or another InitProducerId: a new epoch fences
 *                                                               the producer, and its transaction is aborted
 *
 * Each state is a record in `__transaction_state` before it is in force.
 */

/** By their numbers in records (`TransactionState`). Dead is a tombstone in the log; PrepareEpochFence is never written. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const;
export type TransactionState = (typeof transactionStates)[number];

/** From where a state may be reached. A transaction without partitions is aborted from version 2 on (KIP-890). */
const previousStates: { readonly [state in TransactionState]: readonly TransactionState[] } = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  PrepareAbort: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
  Dead: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareEpochFence: [],
};

/** What a record says of a transactional id. */
export interface TransactionMetadata {
  readonly producerId: number;
  /** The one before `producerId`: a producer that did not hear of the change is known by it. */
  readonly previousProducerId: number;
  /** The one after `producerId`, whose epochs are used up; -1 while they are not. Version 2 only. */
  readonly nextProducerId: number;
  readonly producerEpoch: number;
  /** The one before `producerEpoch`, where its owner may ask again for what it was answered; -1 otherwise. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly state: TransactionState;
  /** While the transaction ends: those that have no marker yet. */
  readonly partitions: PartitionSet;
  /** When the first partition was added; -1 in Empty (but see `TransactionPartition`). */
  readonly startMs: number;
  readonly lastUpdateMs: number;
  /** `transaction.version` that the client spoke. */
  readonly clientVersion: number;
}

/** One transactional id: what is in force, and what is on its way. */
export class Transaction {
  readonly id: string;
  metadata: TransactionMetadata;
  /** The state that a change under way leads to: until that is in the log or has failed, nothing else changes. */
  pending: TransactionState | undefined;
  /** A new epoch that should fence the producer did not reach the log: the next attempt uses it again. */
  hasFailedFence = false;

  constructor(id: string, metadata: TransactionMetadata) {
    this.id = id;
    this.metadata = metadata;
  }

  /** Announces a change. */
  begin(next: TransactionState): void {
    const { state } = this.metadata;
    assert(this.pending === undefined, 'a change of a transaction begins within another', this.id, this.pending, next);
    assert(previousStates[next].includes(state), 'a transaction cannot change so', this.id, state, next);
    this.pending = next;
  }

  /** The change is in the log. */
  become(metadata: TransactionMetadata): void {
    assert(this.pending === metadata.state, 'a transaction changes unannounced', this.id, this.pending, metadata.state);
    this.metadata = metadata;
    this.pending = undefined;
  }

  /** How it ends is being written, or is in the log while partitions still lack their markers. */
  get isEnding(): boolean {
    return isPrepared(this.metadata.state) || (this.pending !== undefined && isPrepared(this.pending));
  }
}

const isPrepared = (state: TransactionState): boolean => state === 'PrepareCommit' || state === 'PrepareAbort';

/** A transactional id that has no epoch yet. */
export function newTransaction(id: string, producerId: number, timeoutMs: number, nowMs: number): Transaction {
  return new Transaction(id, {
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    state: 'Empty',
    partitions: noPartitions,
    startMs: -1,
    lastUpdateMs: nowMs,
    clientVersion: 0,
  });
}

const EPOCH_MAX = 32_767;

/** The last epoch of all is never given to a client: the coordinator must always be able to fence. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= EPOCH_MAX - 1;
}

/** The last epoch that a client may have. */
export const CLIENT_EPOCH_MAX: number = EPOCH_MAX - 1;

/** From this `transaction.version` on every end of a transaction raises the producer's epoch (KIP-890). */
export const EPOCH_BUMP_VERSION = 2;

/** What a handler is to do: refuse (with NONE where all is as wanted), or write a record that brings the new state. */
export type Decision =
  | { readonly kind: 'refuse'; readonly errorCode: number }
  | { readonly kind: 'append'; readonly next: TransactionMetadata }
  /** To be asked again with a producer id that nobody has. */
  | { readonly kind: 'needs-producer-id' };

export function refuse(errorCode: number): Decision {
  return { kind: 'refuse', errorCode };
}
