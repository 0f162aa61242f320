import { concatSlices, noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type Batch, batchesOf, type CodecName } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { compress } from './compression.ts';
import { encodable, legacyEntriesOf } from './convert-plain.ts';
import { codecOf, type IterateOptions, recordsOf } from './iterate.ts';
import { legacyAttributes, legacyEntry } from './legacy-entry.ts';

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

interface ConvertedBatch extends ConvertedRecords {
  /** About what was written before compression. */
  readonly plainBytes: number;
}

/** What is written anew between two pauses, in bytes before compression: a fraction of a millisecond. */
export const STEP_BYTES = 65_536;

/** As `downConverting`, in one piece. */
export function downConvert(records: Slices, options: DownConvertOptions): ConvertedRecords {
  const steps = downConverting(records, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Rewrites batches for a client that knows only an older magic: headers and control batches are dropped, offsets and
 * codecs kept, transactional records become plain ones. Pauses where others may have their turn: a fetch of a few bytes may
 * hold megabytes. Throws UNSUPPORTED_COMPRESSION_TYPE for zstd, and what iteration throws for a corrupt batch.
 */
export function* downConverting(records: Slices, options: DownConvertOptions): Generator<void, ConvertedRecords> {
  const parts: Slices[] = [];
  let convertedCount = 0;
  let bytesSincePause = 0;
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
    const converted = yield* convertBatch(batch, options);
    convertedCount += converted.convertedCount;
    if (converted.slices.size > 0) parts.push(converted.slices);
    bytesSincePause += converted.plainBytes;
    if (bytesSincePause < STEP_BYTES) continue;
    bytesSincePause = 0;
    yield;
  }
  return { slices: concatSlices(parts), convertedCount };
}

function* convertBatch(
  batch: Batch,
  { magic, firstOffset, ...limits }: DownConvertOptions,
): Generator<void, ConvertedBatch> {
  const codec = codecOf(batch);
  const options = { ...limits, magic, firstOffset: codec === 'none' ? firstOffset : 0 };
  const entries = batch.header.magic === 2 ? yield* legacyEntriesOf(batch, options, STEP_BYTES) : undefined;
  if (entries === undefined) return convertEach(batch, codec, options);
  const { bytes, count, lastOffset, maxTimestamp } = entries;
  const done = { convertedCount: count, plainBytes: bytes.length };
  if (count === 0 || codec === 'none') return { ...done, slices: slicesOf(bytes) };
  const { timestampType } = batch.header;
  const wrapper = legacyEntry({
    magic,
    offset: lastOffset,
    attributes: legacyAttributes(magic, codec, timestampType),
    timestamp: maxTimestamp,
    key: null,
    value: compress(codec, bytes, { magic }),
  });
  return { ...done, slices: slicesOf(wrapper) };
}

/** Record by record: batches of other magics, and those with something odd in them, which is told as reading tells it. */
function convertEach(batch: Batch, codec: CodecName, options: DownConvertOptions): ConvertedBatch {
  const { header } = batch;
  let builder: BatchBuilder | undefined;
  for (const { offset, timestamp, key, value } of recordsOf(batch, options)) {
    if (offset < options.firstOffset) continue;
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
  const slices = builder?.build() ?? noSlices;
  return { slices, convertedCount: builder?.count ?? 0, plainBytes: STEP_BYTES };
}
