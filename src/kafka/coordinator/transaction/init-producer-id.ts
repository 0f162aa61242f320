import { ErrorCode } from '../../protocol/errors.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import { noPartitions } from './partition-set.ts';
import { type Decision, isEpochExhausted, refuse, type Transaction, type TransactionMetadata } from './transaction.ts';

export interface ProducerIdAndEpoch {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface InitRequest {
  readonly timeoutMs: number;
  /** Whom the client takes itself for (KIP-360); without, it is a new producer and fences every other. */
  readonly expected: ProducerIdAndEpoch | undefined;
}

/** What InitProducerId makes of a transactional id; `fence`: its open transaction has to be aborted first. */
export type InitDecision = Decision | { readonly kind: 'fence' };

/** @param newProducerId an id that nobody has, where one was asked for */
export function decideInit(
  transaction: Transaction,
  request: InitRequest,
  newProducerId: number | undefined,
  nowMs: number,
): InitDecision {
  const { metadata } = transaction;
  const { expected } = request;
  if (transaction.pending !== undefined) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
  if (expected !== undefined && !isKnown(metadata, expected)) return refuse(ErrorCode.PRODUCER_FENCED);
  switch (metadata.state) {
    case 'PrepareCommit':
    case 'PrepareAbort':
      return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
    case 'Ongoing':
      return { kind: 'fence' };
    default:
      return decideEpoch(metadata, request, newProducerId, nowMs);
  }
}

/**
 * A client that names itself is fenced unless it has the current producer id, or the one before it whose epochs were used up: its
 * first request may have been answered in vain.
 */
function isKnown(metadata: TransactionMetadata, { producerId, producerEpoch }: ProducerIdAndEpoch): boolean {
  if (metadata.producerEpoch === NO_PRODUCER_EPOCH || producerId === metadata.producerId) return true;
  return producerId === metadata.previousProducerId && isEpochExhausted(producerEpoch);
}

function decideEpoch(
  metadata: TransactionMetadata,
  { timeoutMs, expected }: InitRequest,
  newProducerId: number | undefined,
  nowMs: number,
): InitDecision {
  const { producerId, producerEpoch, lastProducerEpoch } = metadata;
  const become = (change: Partial<TransactionMetadata>): Decision => ({
    kind: 'append',
    next: {
      ...metadata,
      previousProducerId: producerId,
      nextProducerId: NO_PRODUCER_ID,
      state: 'Empty',
      timeoutMs,
      partitions: noPartitions,
      startMs: -1,
      lastUpdateMs: nowMs,
      ...change,
    },
  });
  const isCurrent = expected === undefined || expected.producerEpoch === producerEpoch;
  if (isEpochExhausted(producerEpoch) && isCurrent) {
    if (newProducerId === undefined) return { kind: 'needs-producer-id' };
    return become({
      producerId: newProducerId,
      producerEpoch: 0,
      lastProducerEpoch: expected === undefined ? NO_PRODUCER_EPOCH : producerEpoch,
    });
  }
  const bumped = producerEpoch + 1;
  if (expected === undefined) return become({ producerEpoch: bumped, lastProducerEpoch: NO_PRODUCER_EPOCH });
  if (producerEpoch === NO_PRODUCER_EPOCH || isCurrent) {
    return become({ producerEpoch: bumped, lastProducerEpoch: producerEpoch });
  }
  // Asked again after an answer that got lost. Nobody else came meanwhile, or the last epoch would be -1.
  if (expected.producerEpoch === lastProducerEpoch) return become({ producerEpoch, lastProducerEpoch });
  return refuse(ErrorCode.PRODUCER_FENCED);
}
