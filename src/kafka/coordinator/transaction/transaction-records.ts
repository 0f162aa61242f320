import { MalformedError } from '../../../wire/errors.ts';
import { build } from '../../../wire/schema.ts';
import { TransactionLogKey, TransactionLogValue } from '../../protocol/records/transaction-log.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../protocol/records/versioned.ts';
import { NO_PRODUCER_EPOCH } from '../../records/batch.ts';
import type { CoordinatorRecord } from '../coordinator-log.ts';
import { noPartitions, partitionSet } from './partition-set.ts';
import { type TransactionMetadata, transactionStates } from './transaction.ts';

/** One record of `__transaction_state`; null metadata forgets the id. */
export interface TransactionRecord {
  readonly id: string;
  readonly metadata: TransactionMetadata | null;
}

/** @param version of the value: 0, or 1 where `transaction.version` is at least 1 (`TransactionLog.valueToBytes`) */
export function encodeRecord({ id, metadata }: TransactionRecord, version: number): CoordinatorRecord {
  const key = writeKey(TransactionLogKey, { transactionalId: id });
  return { key, value: metadata && writeVersioned(TransactionLogValue, version, bodyOf(metadata, version)) };
}

function bodyOf(metadata: TransactionMetadata, version: number): TransactionLogValue {
  const { state, partitions } = metadata;
  const topics = [...partitions].map(([topic, ids]) => ({ topic, partitionIds: [...ids] }));
  const plain = {
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStatus: transactionStates.indexOf(state),
    // Null says that there is no transaction, an empty list that it is over.
    transactionPartitions: state === 'Empty' ? null : topics,
    transactionLastUpdateTimestampMs: metadata.lastUpdateMs,
    transactionStartTimestampMs: metadata.startMs,
  };
  if (version === 0) return build(TransactionLogValue, plain);
  return build(TransactionLogValue, {
    ...plain,
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    clientTransactionVersion: metadata.clientVersion,
  });
}

/**
 * Undefined for a key of another type: a newer release left it.
 * @throws MalformedError, UnsupportedVersionError
 */
export function decodeRecord(key: Uint8Array, value: Uint8Array | null): TransactionRecord | undefined {
  if (keyType(key) !== TransactionLogKey.apiKey) return undefined;
  const { transactionalId } = readKey(TransactionLogKey, key);
  return { id: transactionalId, metadata: value && metadataOf(readVersioned(TransactionLogValue, value)) };
}

function metadataOf(value: TransactionLogValue): TransactionMetadata {
  const state = transactionStates[value.transactionStatus];
  if (state === undefined) throw new MalformedError(`transaction state ${value.transactionStatus}`);
  const topics = value.transactionPartitions ?? [];
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions:
      state === 'Empty'
        ? noPartitions
        : partitionSet(topics.map(({ topic, partitionIds }) => ({ topic, partitions: partitionIds }))),
    startMs: value.transactionStartTimestampMs,
    lastUpdateMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  };
}
