import { type Slices, subSlices } from '../../base/slices.ts';
import { KafkaError } from '../protocol/errors.ts';
import { BATCH_OVERHEAD, batchesOf } from './batch.ts';
import { putInt32 } from './bytes.ts';
import { convertInto, type DownConvertOptions } from './convert.ts';
import { OutputBlock } from './output-block.ts';

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
 * every batch is left out (control batches), the reader sees the beginning of a message that is too large for it.
 * @param memory for what comes out; where it is too small, memory is made
 * @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE for zstd in the first batch; what `convertInto` throws
 */
export function convertForFetch(
  records: Slices,
  options: FetchConversionOptions,
  memory: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { takenBytes } = options;
  const into = new OutputBlock(memory);
  let sizeMax = takenBytes;
  for (let at = 0; at < records.size && into.end < sizeMax; ) {
    const isFirst = into.end === 0;
    const end = chunkEnd(records, at, isFirst ? 0 : CHUNK_BYTES);
    if (end === at || !convertChunk(subSlices(records, at, end), options, into)) break;
    at = end;
    if (isFirst) sizeMax = Math.max(sizeMax, into.end);
  }
  if (into.end === 0) return chunkEnd(records, 0, 0) > 0 ? overflow() : into.written();
  return into.bytes.subarray(0, Math.min(into.end, sizeMax));
}

/** False where the answer ends before this chunk. */
function convertChunk(chunk: Slices, options: DownConvertOptions, into: OutputBlock): boolean {
  const start = into.end;
  try {
    convertInto(chunk, options, into);
    return true;
  } catch (error) {
    if (start === 0 || !(error instanceof KafkaError)) throw error;
    into.end = start;
    return false;
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

function overflow(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OVERFLOW_BYTES);
  bytes.fill(0xff, 0, 8);
  putInt32(bytes, 8, BATCH_OVERHEAD);
  return bytes;
}
