declare const brand: unique symbol;

/** Transaction id: leader epoch in the high 32 bits, counter in the low. Signed 64 bits, as Java's. */
export type Zxid = bigint & { readonly [brand]?: 'Zxid' };
/** Session id: the creating server in the top byte, then its clock, then a counter. Signed 64 bits. */
export type SessionId = bigint & { readonly [brand]?: 'SessionId' };

const LOW_32 = 0xffff_ffffn;

export function makeZxid(epoch: number, counter: number): Zxid {
  return BigInt.asIntN(64, (BigInt(epoch) << 32n) | (BigInt(counter) & LOW_32)) as Zxid;
}

/** The leader's epoch, signed 32 bits: -1 of a server that has none. */
export function epochOf(zxid: Zxid): number {
  return Number(BigInt.asIntN(32, zxid >> 32n));
}

export function counterOf(zxid: Zxid): number {
  return Number(zxid & LOW_32);
}

/** Who created the session. */
export function serverIn(session: SessionId): number {
  return Number(BigInt.asUintN(64, session) >> 56n);
}

/** As Java's `Long.toHexString`: lower case, no leading zeros, negative values as 64 bits. File names carry it. */
export function hexOf(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16);
}

/** `0x` before it, as logs, four-letter words and the command line print zxids and session ids. */
export function printHex(id: bigint): string {
  return `0x${hexOf(id)}`;
}

/** The signed 64-bit value of hex digits (no prefix); undefined if they are none. */
export function parseHex(text: string): bigint | undefined {
  return /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt.asIntN(64, BigInt(`0x${text}`)) : undefined;
}

/** Whether transactions are missing between two that follow each other: an epoch begins with 1, and has no gaps. */
export function isGap(previous: Zxid, zxid: Zxid): boolean {
  const before = epochOf(zxid) === epochOf(previous) ? counterOf(previous) : 0;
  return counterOf(zxid) > before + 1;
}
