/** Chance, given: a seed decides it in the simulator. */
export interface Random {
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** `count` random bytes, fresh memory. */
  bytes(count: number): Uint8Array;
}

/** Uniform in [0, limit) without modulo bias; limit at most 2^32. */
export function below(random: Random, limit: number): number {
  const unbiased = 4_294_967_296 - (4_294_967_296 % limit);
  for (;;) {
    const drawn = random.uint32();
    if (drawn < unbiased) return drawn % limit;
  }
}

/** Uniform in [0, 1). */
export function fraction(random: Random): number {
  return random.uint32() / 4_294_967_296;
}

/** A version 4 UUID as text, as member ids and directory names carry it. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.prototype.hexSlice.call(bytes, 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
