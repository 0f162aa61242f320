import { InvariantError } from '../base/assert.ts';
import { noSlices, type Slices } from '../base/slices.ts';
import { LossyEncodingError, MalformedError, UnsupportedVersionError } from './errors.ts';
import { Reader } from './reader.ts';
import {
  defaultOf,
  type Field,
  type Fields,
  type Message,
  type PrimitiveKind,
  type Type,
  type Value,
} from './schema.ts';
import { within } from './versions.ts';
import { Writer } from './writer.ts';

export interface Codec<T> {
  read(from: Reader): T;
  write(to: Writer, value: T): void;
}

/** Kafka's two encodings, and ZooKeeper's jute (int32 lengths everywhere, -1 for null). */
export type Encoding = 'classic' | 'flexible' | 'jute';

interface Context {
  readonly name: string;
  readonly version: number;
  readonly encoding: Encoding;
}
type Struct = Record<string, unknown>;

const compiled = new WeakMap<object, Map<number, Codec<unknown>>>();

/** The codec of a message in one version, compiled at first use. */
export function codecFor<F extends Fields>(message: Message<F>, version: number): Codec<Value<F>> {
  // The peer chooses the version: never an assertion.
  if (!within(message.versions, version)) throw new UnsupportedVersionError(message.name, version);
  const encoding = within(message.flexible, version) ? 'flexible' : 'classic';
  return memoized(message, version, () => compileStruct(message.fields, { name: message.name, version, encoding }));
}

/** The codec of a jute record: one version, no tags. */
export function juteCodec<F extends Fields>(name: string, fields: F): Codec<Value<F>> {
  return compileStruct(fields, { name, version: 0, encoding: 'jute' }) as Codec<Value<F>>;
}

/** Convenience for tests and one-off messages. */
export function encode<F extends Fields>(message: Message<F>, version: number, value: Value<F>): Uint8Array {
  const writer = new Writer();
  codecFor(message, version).write(writer, value);
  return writer.finishFlat();
}

export function decode<F extends Fields>(message: Message<F>, version: number, from: Slices | Uint8Array): Value<F> {
  return codecFor(message, version).read(new Reader(from));
}

function memoized<T>(key: object, version: number, compile: () => Codec<Struct>): Codec<T> {
  let byVersion = compiled.get(key);
  if (byVersion === undefined) {
    byVersion = new Map();
    compiled.set(key, byVersion);
  }
  let codec = byVersion.get(version);
  if (codec === undefined) {
    codec = compile() as Codec<unknown>;
    byVersion.set(version, codec);
  }
  return codec as Codec<T>;
}

interface CompiledField {
  readonly name: string;
  readonly tag: number;
  readonly field: Field;
  readonly codec: Codec<unknown>;
}

function compileStruct(fields: Fields, at: Context): Codec<Struct> {
  const plain: CompiledField[] = [];
  const tagged: CompiledField[] = [];
  const absent: { name: string; field: Field }[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (!within(field.versions, at.version)) {
      absent.push({ name, field });
      continue;
    }
    const isTagged = field.tag !== undefined && within(field.taggedVersions ?? field.versions, at.version);
    const context =
      field.flexible === 'none' && at.encoding === 'flexible' ? { ...at, encoding: 'classic' as const } : at;
    const codec = compileNullable(field, context, isTagged);
    (isTagged ? tagged : plain).push({ name, tag: field.tag ?? -1, field, codec });
  }
  tagged.sort((a, b) => a.tag - b.tag);
  const absentOrTagged = [...absent, ...tagged];
  const flexible = at.encoding === 'flexible';
  return {
    read(from) {
      const value: Struct = {};
      for (const { name, codec } of plain) value[name] = codec.read(from);
      // Every field is there: what this version lacks holds its default.
      for (const { name, field } of absentOrTagged) value[name] = defaultOf(field);
      if (flexible) readTagged(from, tagged, value);
      return value;
    },
    write(to, value) {
      for (const { name, field } of absent) refuseLoss(at, name, field, value[name]);
      for (const { name, codec } of plain) codec.write(to, value[name]);
      if (flexible) writeTagged(to, tagged, value);
    },
  };
}

function refuseLoss(at: Context, name: string, field: Field, value: unknown): void {
  if (field.ignorable === true || value === undefined || isDefault(field, value)) return;
  throw new LossyEncodingError(`${at.name}.${name}`, at.version);
}

function isDefault(field: Field, value: unknown): boolean {
  return sameValue(value, defaultOf(field));
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  const keys = Object.keys(b);
  return (
    Object.keys(a).length === keys.length && keys.every((key) => sameValue((a as Struct)[key], (b as Struct)[key]))
  );
}

function readTagged(from: Reader, known: readonly CompiledField[], value: Struct): void {
  let count = from.uvarint();
  if (count > from.remaining) throw new MalformedError(`${count} tagged fields in ${from.remaining} bytes`);
  let previous = -1;
  for (; count > 0; count -= 1) {
    const tag = from.uvarint();
    if (tag <= previous) throw new MalformedError(`tag ${tag} after tag ${previous}`);
    previous = tag;
    const size = from.uvarint();
    const field = known.find((candidate) => candidate.tag === tag);
    if (field === undefined) {
      from.skip(size);
      continue;
    }
    const end = from.position + size;
    value[field.name] = field.codec.read(from);
    if (from.position !== end) throw new MalformedError(`tag ${tag} of ${size} bytes ends at another place`);
  }
}

function writeTagged(to: Writer, known: readonly CompiledField[], value: Struct): void {
  const set = known.filter(({ name, field }) => value[name] !== undefined && !isDefault(field, value[name]));
  to.uvarint(set.length);
  for (const { name, tag, codec } of set) {
    const writer = new Writer(64);
    codec.write(writer, value[name]);
    const encoded = writer.finish();
    to.uvarint(tag);
    to.uvarint(encoded.size);
    to.slices(encoded);
  }
}

function compileNullable(field: Field, at: Context, isTagged: boolean): Codec<unknown> {
  const nullable = within(field.nullable, at.version);
  if (field.type.kind === 'struct') {
    const inner = compileStruct(field.type.fields, at) as Codec<unknown>;
    if (!nullable) return inner;
    return isTagged ? taggedNullableStruct(inner) : nullableStruct(inner);
  }
  return compileType(field.type, at, nullable);
}

/** A nullable struct has a presence byte: -1 for null, 1 for present. */
function nullableStruct(inner: Codec<unknown>): Codec<unknown> {
  return {
    read: (from) => (from.int8() < 0 ? null : inner.read(from)),
    write(to, value) {
      to.int8(value === null ? -1 : 1);
      if (value !== null) inner.write(to, value);
    },
  };
}

/** In the tagged section Apache's generated classes write the presence as a uvarint instead: 0 for null, 1 for present. */
function taggedNullableStruct(inner: Codec<unknown>): Codec<unknown> {
  return {
    read: (from) => (from.uvarint() === 0 ? null : inner.read(from)),
    write(to, value) {
      to.uvarint(value === null ? 0 : 1);
      if (value !== null) inner.write(to, value);
    },
  };
}

function compileType(type: Type<unknown>, at: Context, nullable: boolean): Codec<unknown> {
  switch (type.kind) {
    case 'struct':
      return compileStruct(type.fields, at) as Codec<unknown>;
    case 'array':
      return compileArray(compileType(type.element, at, false), at, nullable);
    case 'string':
      return compileString(at, nullable);
    case 'bytes':
    case 'records':
      return compileBytes(type.kind, at, nullable);
    default:
      return fixed[type.kind];
  }
}

const fixed: Record<Exclude<PrimitiveKind, 'string' | 'bytes' | 'records'>, Codec<unknown>> = {
  bool: { read: (from) => from.bool(), write: (to, value) => to.bool(value as boolean) },
  int8: { read: (from) => from.int8(), write: (to, value) => to.int8(value as number) },
  int16: { read: (from) => from.int16(), write: (to, value) => to.int16(value as number) },
  uint16: { read: (from) => from.uint16(), write: (to, value) => to.int16(value as number) },
  int32: { read: (from) => from.int32(), write: (to, value) => to.int32(value as number) },
  uint32: { read: (from) => from.uint32(), write: (to, value) => to.int32(value as number) },
  int64: { read: (from) => from.int64(), write: (to, value) => to.int64(value as number) },
  bigint64: { read: (from) => from.bigint64(), write: (to, value) => to.bigint64(value as bigint) },
  float64: { read: (from) => from.float64(), write: (to, value) => to.float64(value as number) },
  uuid: {
    read: (from) => Buffer.prototype.base64urlSlice.call(from.bytes(16), 0, 16),
    write: (to, value) => to.bytes(uuidBytes(value as string)),
  },
};

function uuidBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 16) throw new InvariantError('a uuid is the text of 16 bytes', [text]);
  return bytes;
}

interface Lengths {
  /** -1 means null. */
  read(from: Reader): number;
  write(to: Writer, length: number): void;
}

const compactLengths: Lengths = {
  read: (from) => from.uvarint() - 1,
  write: (to, length) => to.uvarint(length + 1),
};
const int16Lengths: Lengths = { read: (from) => from.int16(), write: (to, length) => to.int16(length) };
const int32Lengths: Lengths = { read: (from) => from.int32(), write: (to, length) => to.int32(length) };

function compileArray(element: Codec<unknown>, at: Context, nullable: boolean): Codec<unknown> {
  const lengths = at.encoding === 'flexible' ? compactLengths : int32Lengths;
  return {
    read(from) {
      const count = lengths.read(from);
      if (count < 0) return nullOr(at, nullable, 'array');
      // An element takes a byte at least, so a count beyond the rest of the frame is nonsense; do not reserve room for it.
      if (count > from.remaining) throw new MalformedError(`${count} elements in ${from.remaining} bytes`);
      const values: unknown[] = [];
      for (let index = 0; index < count; index += 1) values.push(element.read(from));
      return values;
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      const values = value as readonly unknown[];
      lengths.write(to, values.length);
      for (const item of values) element.write(to, item);
    },
  };
}

function compileString(at: Context, nullable: boolean): Codec<unknown> {
  const lengths = at.encoding === 'flexible' ? compactLengths : at.encoding === 'jute' ? int32Lengths : int16Lengths;
  return {
    read(from) {
      const size = lengths.read(from);
      return size < 0 ? nullOr(at, nullable, 'string') : from.utf8(size);
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      const text = value as string;
      const size = Buffer.byteLength(text);
      if (lengths === int16Lengths && size > 32_767)
        throw new LossyEncodingError(`${at.name}: a string of ${size} bytes`, at.version);
      lengths.write(to, size);
      to.utf8(text);
    },
  };
}

function compileBytes(kind: 'bytes' | 'records', at: Context, nullable: boolean): Codec<unknown> {
  const lengths = at.encoding === 'flexible' ? compactLengths : int32Lengths;
  return {
    read(from) {
      const size = lengths.read(from);
      if (size < 0) return nullOr(at, nullable, kind);
      if (kind === 'bytes') return from.bytes(size);
      return size === 0 ? noSlices : from.slices(size);
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      if (kind === 'records') {
        lengths.write(to, (value as Slices).size);
        to.slices(value as Slices);
      } else {
        lengths.write(to, (value as Uint8Array).length);
        to.bytes(value as Uint8Array);
      }
    },
  };
}

function nullOr(at: Context, nullable: boolean, kind: string): null {
  // Jute itself lets everything be null; its records declare where null has a meaning.
  if (!nullable) throw new MalformedError(`${at.name} v${at.version}: a null ${kind}`);
  return null;
}

function writeNull(to: Writer, lengths: Lengths, at: Context, nullable: boolean): void {
  if (!nullable) throw new LossyEncodingError(`${at.name}: null`, at.version);
  lengths.write(to, -1);
}
