import { ErrorCode } from '../../protocol/errors.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import { noPartitions } from './partition-set.ts';
import {
  CLIENT_EPOCH_MAX,
  type Decision,
  EPOCH_BUMP_VERSION,
  isEpochExhausted,
  refuse,
  type Transaction,
  type TransactionMetadata,
} from './transaction.ts';

export interface EndRequest {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
}

/** The end of a transaction as clients before KIP-890 ask for it: the producer keeps its epoch. */
export function decideEnd(transaction: Transaction, request: EndRequest, nowMs: number): Decision {
  const { metadata } = transaction;
  if (metadata.producerId !== request.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (metadata.producerEpoch !== request.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED);
  if (transaction.pending !== undefined) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
  if (metadata.state !== 'Ongoing') return refuse(errorOfRepetition(metadata, request.committed));
  return { kind: 'append', next: { ...metadata, state: preparing(request.committed), lastUpdateMs: nowMs } };
}

/** A transaction that has ended so already, or is ending, answers the same again; anything else cannot be. */
function errorOfRepetition({ state }: TransactionMetadata, committed: boolean): number {
  if (state === (committed ? 'CompleteCommit' : 'CompleteAbort')) return ErrorCode.NONE;
  return state === preparing(committed) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE;
}

const preparing = (committed: boolean): 'PrepareCommit' | 'PrepareAbort' =>
  committed ? 'PrepareCommit' : 'PrepareAbort';

/**
 * The end as KIP-890 has it: the markers carry the next epoch, which is the producer's from then on. A repetition is known by its
 * epoch, one less than the current. A transaction that never began may be aborted: the producer wants its new epoch.
 * @param newProducerId an id that nobody has, where one was asked for
 */
export function decideEndWithBump(
  transaction: Transaction,
  request: EndRequest,
  newProducerId: number | undefined,
  nowMs: number,
): Decision {
  const { metadata } = transaction;
  const { state, producerEpoch } = metadata;
  const isRepeatedAfterChange =
    metadata.previousProducerId === request.producerId &&
    request.producerEpoch === CLIENT_EPOCH_MAX &&
    producerEpoch === 0;
  const isRepeated = producerEpoch === request.producerEpoch + 1 || isRepeatedAfterChange;
  if (metadata.producerId !== request.producerId && !isRepeatedAfterChange) {
    return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  }
  const isOver = state === 'CompleteCommit' || state === 'CompleteAbort';
  const isEnding = state === 'PrepareCommit' || state === 'PrepareAbort';
  const hasCurrentEpoch = producerEpoch === request.producerEpoch && !isEnding;
  if (!hasCurrentEpoch && !(isRepeated && (isOver || isEnding))) return refuse(ErrorCode.PRODUCER_FENCED);
  if (transaction.pending !== undefined) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
  if (isRepeated && (isOver || isEnding)) return refuse(errorOfRepetition(metadata, request.committed));
  if (state !== 'Ongoing' && request.committed) return refuse(ErrorCode.INVALID_TXN_STATE);
  const isExhausted = isEpochExhausted(producerEpoch);
  if (isExhausted && newProducerId === undefined) return { kind: 'needs-producer-id' };
  const next = withBump(metadata, preparing(request.committed), nowMs);
  return { kind: 'append', next: { ...next, nextProducerId: isExhausted ? newProducerId! : NO_PRODUCER_ID } };
}

function withBump(
  metadata: TransactionMetadata,
  state: 'PrepareCommit' | 'PrepareAbort',
  nowMs: number,
): TransactionMetadata {
  return {
    ...metadata,
    state,
    producerEpoch: metadata.producerEpoch + 1,
    lastProducerEpoch: metadata.producerEpoch,
    startMs: metadata.state === 'Ongoing' ? metadata.startMs : nowMs,
    lastUpdateMs: nowMs,
    clientVersion: EPOCH_BUMP_VERSION,
  };
}

/** The abort of an open transaction that nobody asked for, under an epoch that fences its producer. */
export function decideFence(transaction: Transaction, version: number, nowMs: number): TransactionMetadata {
  const { metadata, hasFailedFence } = transaction;
  if (version >= EPOCH_BUMP_VERSION) return withBump(metadata, 'PrepareAbort', nowMs);
  return {
    ...metadata,
    state: 'PrepareAbort',
    // An epoch that did not reach the log was told to nobody: it may be used again.
    producerEpoch: hasFailedFence ? metadata.producerEpoch : metadata.producerEpoch + 1,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    lastUpdateMs: nowMs,
    clientVersion: 0,
  };
}

/** What a transaction becomes once every partition has its marker. */
export function completed(metadata: TransactionMetadata, nowMs: number): TransactionMetadata {
  const { nextProducerId } = metadata;
  const state = metadata.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  const over = { ...metadata, state, partitions: noPartitions, lastUpdateMs: nowMs } as const;
  if (nextProducerId === NO_PRODUCER_ID) return over;
  return {
    ...over,
    producerId: nextProducerId,
    previousProducerId: metadata.producerId,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: 0,
  };
}
