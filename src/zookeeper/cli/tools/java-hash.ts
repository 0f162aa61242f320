/**
 * The order in which Java's HashMap and HashSet hand out what they hold. Apache's tools print children and sessions in it, and
 * a listing is compared with theirs line by line.
 */
interface Bucketed<K> {
  readonly key: K;
  readonly hash: number;
}

const LOAD_FACTOR = 0.75;

/**
 * @param keys without repetitions, in the order in which they were put in
 * @param capacity of the table at first: a power of two, 16 unless the map was made with another
 */
export function hashOrder<K>(keys: Iterable<K>, hashOf: (key: K) => number, capacity = 16): K[] {
  const entries: Bucketed<K>[] = [];
  for (const key of keys) entries.push({ key, hash: spread(hashOf(key)) });
  let size = capacity;
  // The table doubles when it becomes too full, and splits each bucket without changing the order inside it.
  while (entries.length > size * LOAD_FACTOR) size *= 2;
  const buckets = new Map<number, K[]>();
  for (const { key, hash } of entries) {
    const index = hash & (size - 1);
    const bucket = buckets.get(index);
    if (bucket === undefined) buckets.set(index, [key]);
    else bucket.push(key);
  }
  return [...buckets.keys()].sort((a, b) => a - b).flatMap((index) => buckets.get(index) as K[]);
}

/** String.hashCode. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** Long.hashCode. */
export function longHash(value: bigint): number {
  const bits = BigInt.asUintN(64, value);
  return Number(BigInt.asIntN(32, bits ^ (bits >> 32n)));
}

/** What HashMap does to a hash code before it takes the low bits. */
function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}
