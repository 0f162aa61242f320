import type { Writer } from '../../wire/writer.ts';
import type { Magic } from './batch.ts';
import type { RecordHeader } from './iterate.ts';
import { legacyOverhead } from './legacy-entry.ts';

/** What a record of magic 2 is written from. */
export interface RecordParts {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** As `walk.ts` draws it. */
export function writeRecord(writer: Writer, { timestampDelta, offsetDelta, key, value, headers }: RecordParts): void {
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + varintSize(headers.length);
  size += nullableSize(key) + nullableSize(value);
  for (const header of headers) size += headerSize(header);
  writer.varint(size);
  writer.int8(0);
  writer.varlong(timestampDelta);
  writer.varint(offsetDelta);
  writeNullable(writer, key);
  writeNullable(writer, value);
  writer.varint(headers.length);
  for (const header of headers) {
    writer.varint(Buffer.byteLength(header.key));
    writer.utf8(header.key);
    writeNullable(writer, header.value);
  }
}

function writeNullable(writer: Writer, bytes: Uint8Array | null): void {
  if (bytes === null) writer.varint(-1);
  else {
    writer.varint(bytes.length);
    writer.bytes(bytes);
  }
}

function nullableSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function headerSize(header: RecordHeader): number {
  const keySize = Buffer.byteLength(header.key);
  return varintSize(keySize) + keySize + nullableSize(header.value);
}

function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

function varlongSize(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return varintSize(value);
  let size = 0;
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 1; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Enough for a record wherever in a batch it comes to stand. */
export function recordSizeUpperBound(
  { key = null, value = null, headers = [] }: Partial<Omit<RecordParts, 'timestampDelta' | 'offsetDelta'>>,
  magic: Magic = 2,
): number {
  if (magic !== 2) return legacyOverhead(magic) + (key?.length ?? 0) + (value?.length ?? 0);
  let size = 5 + 1 + 10 + 5 + 5 + nullableSize(key) + nullableSize(value);
  for (const header of headers) size += headerSize(header);
  return size;
}
