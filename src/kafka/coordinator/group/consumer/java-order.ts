/**
 * The order in which Java's hash tables hand out what is in them. Apache's assignors walk such tables, so who gets which
 * partition depends on it: the same group has the same assignment here only if we walk them alike.
 */

/** `String.hashCode`. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** `Uuid.hashCode` of a topic id: its four words, folded. */
export function uuidHash(id: string): number {
  const bytes = Buffer.from(id, 'base64url');
  return bytes.readInt32BE(0) ^ bytes.readInt32BE(4) ^ bytes.readInt32BE(8) ^ bytes.readInt32BE(12);
}

export const intHash = (value: number): number => value;

/** Buckets of a `HashMap` that was filled one by one from empty. */
export function grownBuckets(count: number): number {
  let buckets = 16;
  while (count > buckets * 0.75) buckets *= 2;
  return buckets;
}

/** Buckets of a `HashSet` that was made as a copy of so many elements. */
export function copiedBuckets(count: number): number {
  const wanted = Math.max(Math.trunc(count / 0.75) + 1, 16);
  let buckets = 1;
  while (buckets < wanted) buckets *= 2;
  return buckets;
}

/** By bucket; what shares one stays in the given order. */
export function hashOrder<T>(items: Iterable<T>, hashOf: (item: T) => number, buckets: (count: number) => number): T[] {
  const list = [...items];
  const mask = buckets(list.length) - 1;
  const placed = list.map((item) => {
    const hash = hashOf(item);
    return { item, bucket: (hash ^ (hash >>> 16)) & mask };
  });
  return placed.sort((a, b) => a.bucket - b.bucket).map(({ item }) => item);
}
