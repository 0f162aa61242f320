/**
 * Bytes as the socket delivered them: a list of chunks that is never concatenated on the hot path.
 * Joining large frames cost three quarters of the throughput (see docs/decisions/0002-frames-are-chunk-lists.md).
 */
export interface Slices {
  readonly chunks: readonly Uint8Array[];
  /** Sum of the chunks' lengths. */
  readonly size: number;
}

export const noSlices: Slices = { chunks: [], size: 0 };

/** A list of one chunk, which is what most lists are. */
export function sliceOf(chunk: Uint8Array): Slices {
  return { chunks: [chunk], size: chunk.length };
}

export function slicesOf(...chunks: readonly Uint8Array[]): Slices {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  return { chunks, size };
}

/** One contiguous array: the only chunk itself, or a copy of several. */
export function flatten(slices: Slices): Uint8Array {
  const [first] = slices.chunks;
  if (slices.chunks.length === 1 && first !== undefined) return first;
  return copyOf(slices);
}

/** A copy that shares no memory with the source (and so does not keep a whole socket chunk alive). */
export function copyOf(slices: Slices): Uint8Array {
  const copy = Buffer.allocUnsafe(slices.size);
  let position = 0;
  for (const chunk of slices.chunks) {
    copy.set(chunk, position);
    position += chunk.length;
  }
  return copy;
}

/** Views on the bytes [from, to) of a list; nothing is copied. */
export function subSlices(slices: Slices, from: number, to: number): Slices {
  if (from < 0 || to > slices.size || from > to) throw new RangeError(`slice ${from}..${to} of ${slices.size} bytes`);
  if (from === 0 && to === slices.size) return slices;
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (const chunk of slices.chunks) {
    if (start >= to) break;
    const end = start + chunk.length;
    if (end > from) chunks.push(chunk.subarray(Math.max(0, from - start), Math.min(chunk.length, to - start)));
    start = end;
  }
  return { chunks, size: to - from };
}

export function concatSlices(lists: readonly Slices[]): Slices {
  if (lists.length === 1 && lists[0] !== undefined) return lists[0];
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const list of lists) {
    for (const chunk of list.chunks) chunks.push(chunk);
    size += list.size;
  }
  return { chunks, size };
}
