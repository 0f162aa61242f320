import type { Slices } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type Batch, batchesOf, type CodecName } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { viewOf } from './bytes.ts';
import { compress } from './compression.ts';
import { encodable, putEntriesOf } from './convert-plain.ts';
import { codecOf, type IterateOptions, recordsOf } from './iterate.ts';
import { legacyAttributes, legacyOverhead, putEntry } from './legacy-entry.ts';
import { OutputBlock } from './output-block.ts';

export interface DownConvertOptions extends IterateOptions {
  /** What the reader understands: 0 for Fetch v0 and v1, 1 for v2 and v3. */
  readonly magic: 0 | 1;
  /** The offset that was asked for. Plain records below it are left out: old clients take what they get (librdkafka). */
  readonly firstOffset: number;
}

/**
 * Rewrites batches for a client that knows only an older magic, behind what the block has: headers and control batches are
 * dropped, offsets and codecs kept, transactional records become plain ones. Answers how many records were written anew.
 * @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE for zstd; for a corrupt batch what iteration throws
 */
export function convertInto(records: Slices, options: DownConvertOptions, into: OutputBlock): number {
  let convertedCount = 0;
  for (const batch of batchesOf(records)) {
    const { header, bytes } = batch;
    if (header.isControl) continue;
    if (header.codec === 'zstd') {
      throw new KafkaError(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        'Down-conversion of zstandard-compressed batches is not supported',
      );
    }
    if (header.magic > options.magic) convertedCount += convertBatch(batch, options, into);
    else for (const chunk of bytes.chunks) into.add(chunk);
  }
  return convertedCount;
}

function convertBatch(batch: Batch, { magic, firstOffset, ...limits }: DownConvertOptions, into: OutputBlock): number {
  const codec = codecOf(batch);
  const options = { ...limits, magic, firstOffset: codec === 'none' ? firstOffset : 0 };
  if (batch.header.magic !== 2) return convertEach(batch, codec, options, into);
  const plain = codec === 'none' ? into : takeScratch();
  const entries = putEntriesOf(batch, options, plain);
  if (entries === undefined) return convertEach(batch, codec, options, into);
  const { count, lastOffset, maxTimestamp } = entries;
  if (count === 0 || codec === 'none') return count;
  const value = compress(codec, plain.written(), { magic });
  into.reserve(legacyOverhead(magic) + value.length);
  into.end = putEntry(into.view, into.end, {
    magic,
    offset: lastOffset,
    attributes: legacyAttributes(magic, codec, batch.header.timestampType),
    timestamp: maxTimestamp,
    source: viewOf(value),
    key: { at: 0, size: -1 },
    value: { at: 0, size: value.length },
  });
  return count;
}

/** Larger scratch memory is not kept for the next batch. */
const SCRATCH_BYTES_MAX = 1_048_576;

/** For entries that are compressed at once. */
let scratch: OutputBlock | undefined;

function takeScratch(): OutputBlock {
  if (scratch === undefined || scratch.bytes.length > SCRATCH_BYTES_MAX) scratch = new OutputBlock(new Uint8Array(0));
  scratch.end = 0;
  return scratch;
}

/** Record by record: batches of other magics, and those with something odd in them, which is told as reading tells it. */
function convertEach(batch: Batch, codec: CodecName, options: DownConvertOptions, into: OutputBlock): number {
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
  for (const chunk of builder?.build().chunks ?? []) into.add(chunk);
  return builder?.count ?? 0;
}
