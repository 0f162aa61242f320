import { flatten, slicesOf } from '../../../base/slices.ts';

import { ZERO_UUID } from '../../../wire/schema.ts';
import type { ProduceRequest } from '../../protocol/messages/00-produce.ts';
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts';
import { type BatchOptions, buildBatch } from '../../records/builder.ts';

/** One batch as bytes of its own, so that a test may damage them. */
export function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const records = values.map((value) => ({ timestamp: 1_700_000_000_000, key: null, value: Buffer.from(value) }));
  return Buffer.from(flatten(buildBatch({ ...options, records })));
}

export function produceRequest(topic: string, bytes: Uint8Array, acks = -1): Partial<ProduceRequest> {
  return {
    acks,
    timeoutMs: 5000,
    topicData: [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: slicesOf(bytes) }] }],
  };
}

export interface FetchOptions {
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

export function fetchRequest(topic: string, fetchOffset: number, options: FetchOptions = {}): Partial<FetchRequest> {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 50 << 20,
    ...options,
    topics: [
      {
        topic,
        topicId: ZERO_UUID,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 50 << 20,
            replicaDirectoryId: ZERO_UUID,
            highWatermark: Infinity,
          },
        ],
      },
    ],
  };
}
