/** Tables of 256, one behind the other: table k advances a byte's contribution by k further bytes. */
const TABLES = 16;

/** "Slicing by 16", for `updatedCrc`. @param polynomial reflected */
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

/** The checksum register after the bytes [start, end); it begins as -1, and the checksum is its complement. */
export function updatedCrc(table: Int32Array, bytes: Uint8Array, start: number, end: number, register: number): number {
  if (bytes.buffer !== lastView.buffer) lastView = new DataView(bytes.buffer);
  const view = lastView;
  const stop = bytes.byteOffset + end;
  let crc = register;
  let position = bytes.byteOffset + start;
  for (const last = stop - 16; position <= last; position += 16) {
    const first = crc ^ view.getInt32(position, true);
    const second = view.getInt32(position + 4, true);
    const third = view.getInt32(position + 8, true);
    const fourth = view.getInt32(position + 12, true);
    crc =
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
      table[fourth >>> 24]!;
  }
  for (; position < stop; position += 1) crc = table[(crc ^ view.getUint8(position)) & 0xff]! ^ (crc >>> 8);
  return crc;
}
