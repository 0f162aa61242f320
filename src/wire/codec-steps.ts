import { InvariantError } from '../base/assert.ts';
import { noSlices, type Slices } from '../base/slices.ts';
import { LossyEncodingError, MalformedError } from './errors.ts';
import type { Reader } from './reader.ts';
import { defaultOf, type Field, type Fields } from './schema.ts';
import { within } from './versions.ts';
import { utf8Size, type Writer } from './writer.ts';

/*
 * The leaves of both codec compilers: what a single field does beyond a call of Reader or Writer. They hold the errors, so that
 * closures and generated code refuse in the same words.
 */

/** Kafka's two encodings, and ZooKeeper's jute (int32 lengths everywhere, -1 for null). */
export type Encoding = 'classic' | 'flexible' | 'jute';

/** What a compiler is asked for. */
export interface Context {
  readonly name: string;
  readonly version: number;
  readonly encoding: Encoding;
}
export type Struct = Record<string, unknown>;

/** A field as it stands in one version. */
export interface PlacedField {
  readonly name: string;
  readonly field: Field;
  /** -1 where it stands in line. */
  readonly tag: number;
  readonly nullable: boolean;
  /** A field that keeps the classic encoding in flexible versions has a context of its own. */
  readonly at: Context;
}

export interface Layout {
  readonly plain: readonly PlacedField[];
  /** By ascending tag. */
  readonly tagged: readonly PlacedField[];
  readonly absent: readonly PlacedField[];
}

export function layoutOf(fields: Fields, at: Context): Layout {
  const plain: PlacedField[] = [];
  const tagged: PlacedField[] = [];
  const absent: PlacedField[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const placed = placedField(name, field, at);
    if (!within(field.versions, at.version)) absent.push(placed);
    else if (placed.tag >= 0) tagged.push(placed);
    else plain.push(placed);
  }
  tagged.sort((a, b) => a.tag - b.tag);
  return { plain, tagged, absent };
}

function placedField(name: string, field: Field, at: Context): PlacedField {
  const isTagged = within(field.taggedVersions ?? field.versions, at.version);
  const isClassic = field.flexible === 'none' && at.encoding === 'flexible';
  return {
    name,
    field,
    tag: isTagged ? (field.tag ?? -1) : -1,
    nullable: within(field.nullable, at.version),
    at: isClassic ? { ...at, encoding: 'classic' } : at,
  };
}

/** What a message is called when its bytes are refused. */
export const whereOf = ({ name, version }: Context): string => `${name} v${version}`;

/** Reads: a length below zero is null. */

export function present(size: number, where: string, kind: string): number {
  // Jute itself lets everything be null; its records declare where null has a meaning.
  if (size < 0) throw new MalformedError(`${where}: a null ${kind}`);
  return size;
}

/** Of a jute string or buffer: only -1 is null (BinaryInputArchive.checkLength). */
export function juteSize(size: number): number {
  if (size < -1) throw new MalformedError(`Unreasonable length = ${size}`);
  return size;
}

/** Of a jute vector: only -1 is null, whatever else is below zero has no element (BinaryIndex.done). */
export function juteCount(count: number): number {
  return count < -1 ? 0 : count;
}

export function nullableText(from: Reader, size: number): string | null {
  return size < 0 ? null : from.utf8(size);
}

export function nullableBytes(from: Reader, size: number): Uint8Array | null {
  return size < 0 ? null : from.bytes(size);
}

export function nullableRecords(from: Reader, size: number): Slices | null {
  return size < 0 ? null : readRecords(from, size);
}

export function readRecords(from: Reader, size: number): Slices {
  return size === 0 ? noSlices : from.slices(size);
}

export function readUuid(from: Reader): string {
  return Buffer.prototype.base64urlSlice.call(from.bytes(16), 0, 16);
}

/** An element takes a byte at least, so a count beyond the rest of the frame is nonsense; do not reserve room for it. */
export function refuseAbsurdCount(from: Reader, count: number): void {
  if (count > from.remaining) throw new MalformedError(`${count} elements in ${from.remaining} bytes`);
}

export function tagCount(from: Reader): number {
  const count = from.uvarint();
  if (count > from.remaining) throw new MalformedError(`${count} tagged fields in ${from.remaining} bytes`);
  return count;
}

export function nextTag(from: Reader, previous: number): number {
  const tag = from.uvarint();
  if (tag <= previous) throw new MalformedError(`tag ${tag} after tag ${previous}`);
  return tag;
}

export function endTag(from: Reader, tag: number, start: number, size: number): void {
  if (from.position !== start + size) throw new MalformedError(`tag ${tag} of ${size} bytes ends at another place`);
}

/** The tagged section of a struct that knows no tag. */
export function skipTags(from: Reader): void {
  let previous = -1;
  for (let left = tagCount(from); left > 0; left -= 1) {
    previous = nextTag(from, previous);
    from.skip(from.uvarint());
  }
}

/** Writes. */

export function refuseNull(name: string, version: number): never {
  throw new LossyEncodingError(`${name}: null`, version);
}

/** A value that the version cannot carry. */
export function refuseField(name: string, version: number, field: string): never {
  throw new LossyEncodingError(`${name}.${field}`, version);
}

export function writeCompactText(to: Writer, text: string): void {
  to.uvarint(utf8Size(text) + 1);
  to.utf8(text);
}

export function writeShortText(to: Writer, text: string, name: string, version: number): void {
  const size = utf8Size(text);
  if (size > 32_767) throw new LossyEncodingError(`${name}: a string of ${size} bytes`, version);
  to.int16(size);
  to.utf8(text);
}

export function writeLongText(to: Writer, text: string): void {
  to.int32(utf8Size(text));
  to.utf8(text);
}

export function writeUuid(to: Writer, text: string): void {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 16) throw new InvariantError('a uuid is the text of 16 bytes', [text]);
  to.bytes(bytes);
}

/** A tag's value has its size before it, so it was written apart. */
export function writeTag(to: Writer, tag: number, value: Writer): void {
  const encoded = value.finish();
  to.uvarint(tag);
  to.uvarint(encoded.size);
  to.slices(encoded);
}

/** Whether a field holds what it holds when nobody set it: then a tag is not written, and a version may lack the field. */
export function isDefault(field: Field, value: unknown): boolean {
  if (field.default === undefined && field.type.kind === 'struct') return isBlank(field.type.fields, value);
  return sameValue(value, defaultOf(field));
}

function isBlank(fields: Fields, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(fields).every(([name, field]) => isDefault(field, (value as Struct)[name]));
}

export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  const keys = Object.keys(b);
  return (
    Object.keys(a).length === keys.length && keys.every((key) => sameValue((a as Struct)[key], (b as Struct)[key]))
  );
}
