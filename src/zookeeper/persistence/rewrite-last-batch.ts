import type { File } from '../../runtime/disk.ts';
import { BATCH_BYTES_MAX, ENTRY_HEADER_BYTES, LOG_HEADER_BYTES, RECORD_BYTES_MAX } from './txn-log-format.ts';

const BLOCK_BYTES = 64 * 1024;

/** What a failed sync may have left in the page cache only: the last batch, in a file that ends in zeros. */
export function rewriteLastBatch(file: File): void {
  const end = endOfEntries(file);
  const first = Math.max(0, end - LOG_HEADER_BYTES - BATCH_BYTES_MAX - RECORD_BYTES_MAX);
  for (let at = first; at < end; at += BLOCK_BYTES) file.writeAt(at, file.readAt(at, Math.min(BLOCK_BYTES, end - at)));
}

/**
 * Where the padding begins. An entry ends with a byte that is not zero, so zeros longer than any entry are padding, and so is
 * all behind them: halving finds the place with a few reads where the file has 64 MiB of zeros.
 */
function endOfEntries(file: File): number {
  const zeros = Buffer.alloc(ENTRY_HEADER_BYTES + RECORD_BYTES_MAX + 1);
  const memory = Buffer.allocUnsafe(zeros.length);
  let low = 0;
  let high = file.size;
  while (high - low > zeros.length) {
    const middle = low + Math.floor((high - low) / 2);
    const window = file.readAt(middle, Math.min(zeros.length, high - middle), memory);
    if (zeros.compare(window, 0, window.length, 0, window.length) === 0) high = middle;
    else low = middle;
  }
  const rest = file.readAt(low, high - low, memory);
  let end = rest.length;
  while (end > 0 && rest[end - 1] === 0) end -= 1;
  return low + end;
}
