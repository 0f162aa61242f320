import { flatten, type Slices, subSlices } from '../../base/slices.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { BATCH_OVERHEAD, type Batch, batchesOf, type CodecName } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { compressInto } from './compression.ts';
import { encodable, putEntriesOf, type WrittenEntries } from './convert-plain.ts';
import { codecOf, type IterateOptions, recordsOf, unpackInto } from './iterate.ts';
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

function convertBatch(batch: Batch, options: DownConvertOptions, into: OutputBlock): number {
  const codec = codecOf(batch);
  if (codec !== 'none') return convertCompressed(batch, codec, { ...options, firstOffset: 0 }, into);
  if (batch.header.magic !== 2) return convertEach(batch, codec, options, into);
  const records = flatten(subSlices(batch.bytes, BATCH_OVERHEAD, batch.header.sizeInBytes));
  return putEntriesOf(batch, records, options, into)?.count ?? convertEach(batch, codec, options, into);
}

/** Larger scratch memory is not kept for the next batch. */
const SCRATCH_BYTES_MAX = 1_048_576;

/** For records as they come out of a batch, and for the entries that are compressed at once. */
const unpacked = new OutputBlock(new Uint8Array(0));
const unwrapped = new OutputBlock(new Uint8Array(0));

function convertCompressed(
  batch: Batch,
  codec: Exclude<CodecName, 'none'>,
  options: DownConvertOptions,
  into: OutputBlock,
): number {
  if (batch.header.magic !== 2) return convertEach(batch, codec, options, into);
  try {
    unpackInto(batch, codec, options, unpacked);
    const entries = putEntriesOf(batch, unpacked.written(), options, unwrapped);
    if (entries === undefined) return convertEach(batch, codec, options, into);
    putWrapper(batch, codec, options.magic, entries, into);
    return entries.count;
  } finally {
    unpacked.empty(SCRATCH_BYTES_MAX);
    unwrapped.empty(SCRATCH_BYTES_MAX);
  }
}

/** The entries are compressed where the wrapper's value will be. */
function putWrapper(
  { header }: Batch,
  codec: CodecName,
  magic: 0 | 1,
  { lastOffset, maxTimestamp }: WrittenEntries,
  into: OutputBlock,
): void {
  const start = into.end;
  const valueAt = start + legacyOverhead(magic);
  into.reserve(legacyOverhead(magic));
  into.end = valueAt;
  compressInto(codec, unwrapped.written(), { magic }, into);
  into.end = putEntry(into.view, start, {
    magic,
    offset: lastOffset,
    attributes: legacyAttributes(magic, codec, header.timestampType),
    timestamp: maxTimestamp,
    source: into.view,
    key: { at: 0, size: -1 },
    value: { at: valueAt, size: into.end - valueAt },
  });
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
