/**
 * In which order Java's hash tables give back what was put in. Texts that Apache prints from them have to be the same bytes, so the
 * order is part of those texts.
 */

const INITIAL_TABLE_SIZE = 16;

/** `String.hashCode`. */
export function javaHashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/**
 * The order of `Properties.entrySet()` since Java 9 (a ConcurrentHashMap made for 8 entries), of keys put in as given; a key
 * counts where it came first. Bins of eight and more, which become trees, are beyond it.
 */
export function propertiesOrder(keys: Iterable<string>): string[] {
  let table: string[][] = emptyTable(INITIAL_TABLE_SIZE);
  const all = new Set<string>();
  for (const key of keys) {
    if (all.has(key)) continue;
    all.add(key);
    table[spread(javaHashOf(key)) & (table.length - 1)]?.push(key);
    if (all.size >= threeQuarters(table.length)) table = doubled(table);
  }
  return table.flat();
}

/** The order of a `HashMap<Long, …>` whose keys were put in as given. */
export function longMapOrder(keys: Iterable<number>, initialTableSize = INITIAL_TABLE_SIZE): number[] {
  return mapOrder(keys, hashOfLong, initialTableSize);
}

/** The order of a `HashMap<String, …>` whose keys were put in as given. */
export function stringMapOrder(keys: Iterable<string>): string[] {
  return mapOrder(keys, javaHashOf, INITIAL_TABLE_SIZE);
}

function mapOrder<K>(keys: Iterable<K>, hashOf: (key: K) => number, initialTableSize: number): K[] {
  const all = [...new Set(keys)];
  let size = initialTableSize;
  while (all.length > threeQuarters(size)) size *= 2;
  // Growing splits a bin without changing the order in it, so that only the last size counts.
  const table: K[][] = Array.from({ length: size }, () => []);
  for (const key of all) table[spread(hashOf(key)) & (size - 1)]?.push(key);
  return table.flat();
}

/** The table that `new HashMap<>(map)` begins with for a map of so many entries. */
export function copiedTableSize(count: number): number {
  let size = 1;
  while (size < count / 0.75 + 1) size *= 2;
  return size;
}

function hashOfLong(key: number): number {
  const long = BigInt(key);
  return Number(BigInt.asIntN(32, long ^ (long >> 32n)));
}

function spread(hash: number): number {
  return (hash ^ (hash >>> 16)) & 0x7fff_ffff;
}

/**
 * Each bin splits in two by one more bit of the hash. The longest tail that stays together keeps its order; what stood before it
 * is put in front, one by one, and so turns round.
 */
function doubled(table: readonly string[][]): string[][] {
  const bit = table.length;
  const next = emptyTable(bit * 2);
  table.forEach((bin, index) => {
    const sideOf = (key: string): number => spread(javaHashOf(key)) & bit;
    const last = bin.at(-1);
    if (last === undefined) return;
    const tail = bin.findLastIndex((key) => sideOf(key) !== sideOf(last)) + 1;
    next[index + sideOf(last)]?.push(...bin.slice(tail));
    for (const key of bin.slice(0, tail)) next[index + sideOf(key)]?.unshift(key);
  });
  return next;
}

function emptyTable(size: number): string[][] {
  return Array.from({ length: size }, () => []);
}

function threeQuarters(size: number): number {
  return size - (size >>> 2);
}
