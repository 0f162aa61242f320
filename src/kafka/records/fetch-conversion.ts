import { concatSlices, noSlices, type Slices, slicesOf, subSlices } from '../../base/slices.ts';
import { KafkaError } from '../protocol/errors.ts';
import { BATCH_OVERHEAD, batchesOf } from './batch.ts';
import { putInt32 } from './bytes.ts';
import { type DownConvertOptions, downConverting } from './convert.ts';

export interface FetchConversionOptions extends DownConvertOptions {
  /** What the records take of the answer before they are converted: what comes out takes no more, but for its first batch. */
  readonly takenBytes: number;
}

/** Batches that are converted together, in bytes (`LazyDownConversionRecordsSend.MAX_READ_SIZE`). */
const CHUNK_BYTES = 131_072;
/** An offset and a size: the least that a reader takes for a message which goes on. */
const OVERFLOW_BYTES = 12;

/**
 * Down-conversion for one partition of an answer, with the sizes of Apache's `LazyDownConversionRecords`: the first batch comes
 * whole, the others as far as they fit, the last perhaps cut. Where zstd comes later than first, the answer ends before; where
 * every batch is left out (control batches), the reader sees the beginning of a message that is too large for it. Pauses where
 * others may have their turn.
 * @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE for zstd in the first batch
 */
export function* convertingForFetch(records: Slices, options: FetchConversionOptions): Generator<void, Slices> {
  const { takenBytes } = options;
  const parts: Slices[] = [];
  let size = 0;
  let sizeMax = takenBytes;
  for (let at = 0; at < records.size && size < sizeMax; ) {
    const end = chunkEnd(records, at, parts.length === 0 ? 0 : CHUNK_BYTES);
    if (end === at) break;
    const converted = yield* convertChunk(subSlices(records, at, end), options, parts.length === 0);
    if (converted === undefined) break;
    at = end;
    if (converted.size === 0) continue;
    if (parts.length === 0) sizeMax = Math.max(sizeMax, converted.size);
    parts.push(converted);
    size += converted.size;
  }
  if (parts.length === 0) return chunkEnd(records, 0, 0) > 0 ? overflow() : noSlices;
  return subSlices(concatSlices(parts), 0, Math.min(size, sizeMax));
}

/** Undefined where the answer ends before this chunk. */
function* convertChunk(
  chunk: Slices,
  options: DownConvertOptions,
  isFirst: boolean,
): Generator<void, Slices | undefined> {
  try {
    const { slices } = yield* downConverting(chunk, options);
    return slices;
  } catch (error) {
    if (isFirst || !(error instanceof KafkaError)) throw error;
    return undefined;
  }
}

/** At least one whole batch, if there is one. */
function chunkEnd(records: Slices, from: number, bytesMax: number): number {
  let end = from;
  for (const { header } of batchesOf(subSlices(records, from, records.size))) {
    if (end > from && end - from + header.sizeInBytes > bytesMax) break;
    end += header.sizeInBytes;
  }
  return end;
}

function overflow(): Slices {
  const bytes = new Uint8Array(OVERFLOW_BYTES);
  bytes.fill(0xff, 0, 8);
  putInt32(bytes, 8, BATCH_OVERHEAD);
  return slicesOf(bytes);
}
