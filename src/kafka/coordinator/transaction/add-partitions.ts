import { ErrorCode } from '../../protocol/errors.ts';
import { includesAll, type PartitionSet, unionOf } from './partition-set.ts';
import { type Decision, refuse, type Transaction } from './transaction.ts';

export interface PartitionsRequest {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitions: PartitionSet;
}

/** @param clientVersion `transaction.version` that the client speaks */
export function decideAddPartitions(
  transaction: Transaction,
  request: PartitionsRequest,
  clientVersion: number,
  nowMs: number,
): Decision {
  const { metadata } = transaction;
  const { state } = metadata;
  const errorCode = identityError(transaction, request);
  if (errorCode !== ErrorCode.NONE) return refuse(errorCode);
  if (transaction.pending !== undefined || state === 'PrepareCommit' || state === 'PrepareAbort') {
    return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
  }
  if (state === 'Ongoing' && includesAll(metadata.partitions, request.partitions)) return refuse(ErrorCode.NONE);
  return {
    kind: 'append',
    next: {
      ...metadata,
      state: 'Ongoing',
      partitions: unionOf(metadata.partitions, request.partitions),
      startMs: state === 'Ongoing' ? metadata.startMs : nowMs,
      lastUpdateMs: nowMs,
      clientVersion,
    },
  };
}

/**
 * Whether a producer may write to a partition for its transaction, as the partition's leader asks (KIP-890). What is under way
 * does not count: a partition belongs to the transaction from the record that adds it to the marker that ends it.
 */
export function verifyPartition(
  transaction: Transaction,
  request: PartitionsRequest,
  topic: string,
  partition: number,
): number {
  const { state, partitions } = transaction.metadata;
  const errorCode = identityError(transaction, request);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (state === 'PrepareCommit' || state === 'PrepareAbort') return ErrorCode.CONCURRENT_TRANSACTIONS;
  return partitions.get(topic)?.has(partition) === true ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE;
}

function identityError({ metadata }: Transaction, { producerId, producerEpoch }: PartitionsRequest): number {
  if (metadata.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  return metadata.producerEpoch === producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;
}
