const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** Murmur2 in Kafka's variant: signed 32 bits. A keyed record goes to partition `(murmur2(key) & 0x7fffffff) % count`. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  let position = 0;
  for (; position + 4 <= length; position += 4) {
    let word =
      bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const rest = length - position;
  if (rest === 3) hash ^= bytes[position + 2]! << 16;
  if (rest >= 2) hash ^= bytes[position + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[position]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** java.lang.String.hashCode: which partition of `__consumer_offsets` holds a group is `abs(hash) % count`. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0;
  return hash;
}

/** Kafka's `Utils.abs`: the smallest integer has no positive twin and becomes 0. */
export function javaAbs(value: number): number {
  return value === -0x80000000 ? 0 : Math.abs(value);
}
