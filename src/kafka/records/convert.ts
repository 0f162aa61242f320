import { concatSlices, type Slices } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type Batch, batchesOf, NO_TIMESTAMP } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { codecOf, type IterateOptions, recordsOf } from './iterate.ts';

export interface DownConvertOptions extends IterateOptions {
  /** What the reader understands: 0 for Fetch v0 and v1, 1 for v2 and v3. */
  readonly magic: 0 | 1;
  /** The offset that was asked for. Plain records below it are left out: old clients take what they get (librdkafka). */
  readonly firstOffset: number;
}

export interface ConvertedRecords {
  readonly slices: Slices;
  /** How many records were written anew. */
  readonly convertedCount: number;
}

/**
 * Rewrites batches for a client that knows only an older magic: headers and control batches are dropped, offsets and
 * codecs kept, transactional records become plain ones. Throws UNSUPPORTED_COMPRESSION_TYPE for zstd, and what iteration
 * throws for a corrupt batch.
 */
export function downConvert(records: Slices, options: DownConvertOptions): ConvertedRecords {
  const parts: Slices[] = [];
  let convertedCount = 0;
  for (const batch of batchesOf(records)) {
    const { header } = batch;
    if (header.isControl) continue;
    if (header.codec === 'zstd') {
      throw new KafkaError(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        'Down-conversion of zstandard-compressed batches is not supported',
      );
    }
    if (header.magic <= options.magic) {
      parts.push(batch.bytes);
      continue;
    }
    const builder = convertBatch(batch, options);
    if (builder === undefined) continue;
    convertedCount += builder.count;
    parts.push(builder.build());
  }
  return { slices: concatSlices(parts), convertedCount };
}

function convertBatch(batch: Batch, options: DownConvertOptions): BatchBuilder | undefined {
  const { header } = batch;
  const codec = codecOf(batch);
  let builder: BatchBuilder | undefined;
  for (const { offset, timestamp, key, value } of recordsOf(batch, options)) {
    if (codec === 'none' && offset < options.firstOffset) continue;
    // Inner offsets of magic 1 count from the first record, not from a base that compaction may have emptied.
    builder ??= new BatchBuilder({
      magic: options.magic,
      codec,
      baseOffset: offset,
      timestampType: header.timestampType,
      logAppendTimeMs: header.maxTimestamp,
    });
    builder.append({ offset, timestamp: encodable(timestamp), key, value });
  }
  return builder;
}

/** A timestamp beyond ±2^53 was saturated when it was read, and one below -1 has no meaning: neither is written again. */
function encodable(timestamp: number): number {
  return Number.isSafeInteger(timestamp) && timestamp >= NO_TIMESTAMP ? timestamp : NO_TIMESTAMP;
}
