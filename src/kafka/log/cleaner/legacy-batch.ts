import { flatten } from '../../../base/slices.ts';
import { type Batch, readBatchHeader } from '../../records/batch.ts';
import { BatchBuilder } from '../../records/builder.ts';
import { codecOf, type IterateOptions, type LogRecord, recordsOf } from '../../records/iterate.ts';
import type { RetainedBatches } from './retained-batches.ts';

/** What stays of an entry of magic 0 or 1: a wrapper of compressed ones is written anew when it loses some. */
export function retainLegacyRecords(
  batch: Batch,
  iteration: IterateOptions,
  isRetained: (offset: number, key: Uint8Array | null, hasValue: boolean) => boolean,
  into: RetainedBatches,
): void {
  const { header } = batch;
  const retained: LogRecord[] = [];
  let count = 0;
  for (const record of recordsOf(batch, iteration)) {
    count += 1;
    if (isRetained(record.offset, record.key, record.value !== null)) retained.push(record);
  }
  const [first] = retained;
  if (first === undefined) return;
  if (retained.length === count) {
    into.add(flatten(batch.bytes), { ...header, recordCount: count });
    return;
  }
  const isAppendTime = header.timestampType === 'LogAppendTime';
  const builder = new BatchBuilder({
    magic: header.magic,
    codec: codecOf(batch),
    baseOffset: first.offset,
    timestampType: header.timestampType,
    ...(isAppendTime ? { logAppendTimeMs: header.maxTimestamp } : {}),
  });
  for (const { offset, timestamp, key, value } of retained) builder.append({ offset, timestamp, key, value });
  const bytes = flatten(builder.build());
  into.add(bytes, { ...readBatchHeader(bytes)!, recordCount: retained.length });
}
