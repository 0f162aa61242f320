import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { Turns } from '../turns.ts';
import { completed } from './end-transaction.ts';
import type { MarkerJob, MarkerSender } from './marker-sender.ts';
import { partitionsIn, without } from './partition-set.ts';
import type { Transaction, TransactionMetadata } from './transaction.ts';
import type { TransactionPartition } from './transaction-partition.ts';

export interface CompletionOptions {
  readonly markers: MarkerSender;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
}

/** Before the last record of a transaction is written again that could not be replicated. */
const RETRY_PAUSE_MS = 100;

/**
 * The second half of a transaction's end. That it ends, and how, is in the log: its partitions hear of it, then the log. Nothing
 * but the loss of the partition stops it, and then its next coordinator begins anew.
 */
export function completeTransaction(
  options: CompletionOptions,
  partition: TransactionPartition,
  transaction: Transaction,
): TransactionMetadata {
  const { markers, clock } = options;
  const ended = transaction.metadata;
  const next = completed(ended, clock.wallMs());
  transaction.hasFailedFence = false;
  transaction.begin(next.state);
  const finish = (): void => {
    if (transaction.metadata.partitions.size === 0) writeCompletion(options, partition, transaction, next);
  };
  const job: MarkerJob = {
    transactionalId: transaction.id,
    producerId: ended.producerId,
    producerEpoch: ended.producerEpoch,
    committed: ended.state === 'PrepareCommit',
    coordinatorEpoch: partition.coordinatorEpoch,
    transactionVersion: ended.clientVersion,
    isCancelled: () => !partition.isCurrent(transaction),
    partitionDone: (topic, index) => {
      const { metadata } = transaction;
      transaction.metadata = { ...metadata, partitions: without(metadata.partitions, topic, index) };
      finish();
    },
  };
  markers.send(job, partitionsIn(ended.partitions));
  if (ended.partitions.size === 0) finish();
  return next;
}

function writeCompletion(
  options: CompletionOptions,
  partition: TransactionPartition,
  transaction: Transaction,
  next: TransactionMetadata,
): void {
  const { clock, turns, log } = options;
  partition.appendAgain(transaction, next, (errorCode) => {
    if (errorCode === ErrorCode.NONE || !partition.isCurrent(transaction)) return;
    log.warn('the end of a transaction could not be written; trying again', {
      transactionalId: transaction.id,
      errorCode,
    });
    clock.after(RETRY_PAUSE_MS, () =>
      turns.run(() => {
        if (partition.isCurrent(transaction)) writeCompletion(options, partition, transaction, next);
      }),
    );
  });
}
