/** Tables of 256, one behind the other: table k advances a byte's contribution by k further bytes. */
const TABLES = 16;

/** "Slicing by 16", for `registerAfter`. @param polynomial reflected */
export function crcTable(polynomial: number): Int32Array {
  const table = new Int32Array(TABLES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index += 1) {
    const crc = table[index - 256]!;
    table[index] = table[crc & 0xff]! ^ (crc >>> 8);
  }
  return table;
}

/** Of the buffer that was read last: the next call is mostly for the same one. */
let lastView: DataView = new DataView(new ArrayBuffer(0));

/** `registerAfter` of an array. */
export function updatedCrc(table: Int32Array, bytes: Uint8Array, start: number, end: number, register: number): number {
  if (bytes.buffer !== lastView.buffer) lastView = new DataView(bytes.buffer);
  return registerAfter(table, lastView, bytes.byteOffset + start, bytes.byteOffset + end, register);
}

/** The checksum register after the bytes [start, end) of a view; it begins as -1, and the checksum is its complement. */
export function registerAfter(table: Int32Array, view: DataView, start: number, end: number, register: number): number {
  let crc = register;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    crc = afterWords(
      table,
      crc ^ view.getInt32(at, true),
      view.getInt32(at + 4, true),
      view.getInt32(at + 8, true),
      view.getInt32(at + 12, true),
    );
  }
  for (const last = end - 4; at <= last; at += 4) crc = afterWord(table, crc ^ view.getInt32(at, true));
  for (; at < end; at += 1) crc = table[(crc ^ view.getUint8(at)) & 0xff]! ^ (crc >>> 8);
  return crc;
}

/** The register after four words (little-endian), the first of which has the register in it. */
export function afterWords(table: Int32Array, first: number, second: number, third: number, fourth: number): number {
  return (
    table[3840 + (first & 0xff)]! ^
    table[3584 + ((first >>> 8) & 0xff)]! ^
    table[3328 + ((first >>> 16) & 0xff)]! ^
    table[3072 + (first >>> 24)]! ^
    table[2816 + (second & 0xff)]! ^
    table[2560 + ((second >>> 8) & 0xff)]! ^
    table[2304 + ((second >>> 16) & 0xff)]! ^
    table[2048 + (second >>> 24)]! ^
    table[1792 + (third & 0xff)]! ^
    table[1536 + ((third >>> 8) & 0xff)]! ^
    table[1280 + ((third >>> 16) & 0xff)]! ^
    table[1024 + (third >>> 24)]! ^
    table[768 + (fourth & 0xff)]! ^
    table[512 + ((fourth >>> 8) & 0xff)]! ^
    table[256 + ((fourth >>> 16) & 0xff)]! ^
    table[fourth >>> 24]!
  );
}

/** The register after a word, which has the register in it. */
export function afterWord(table: Int32Array, word: number): number {
  return (
    table[768 + (word & 0xff)]! ^
    table[512 + ((word >>> 8) & 0xff)]! ^
    table[256 + ((word >>> 16) & 0xff)]! ^
    table[word >>> 24]!
  );
}
