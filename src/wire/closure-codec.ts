import type { Slices } from '../base/slices.ts';
import type { Codec } from './codec.ts';
import {
  type Context,
  endTag,
  isDefault,
  juteCount,
  juteSize,
  layoutOf,
  nextTag,
  nullableBytes,
  nullableRecords,
  nullableText,
  type PlacedField,
  present,
  readRecords,
  readUuid,
  refuseAbsurdCount,
  refuseField,
  refuseNull,
  type Struct,
  tagCount,
  whereOf,
  writeCompactText,
  writeLongText,
  writeShortText,
  writeTag,
  writeUuid,
} from './codec-steps.ts';
import type { Reader } from './reader.ts';
import { defaultOf, type Field, type Fields, type PrimitiveKind, type Type } from './schema.ts';
import { Writer } from './writer.ts';

/*
 * Codecs as trees of closures: cheap to make, slow to run. They serve what is used rarely and hosts that forbid code
 * generation, and they are the oracle of `generated-codec.ts`.
 */

interface CompiledField extends PlacedField {
  readonly codec: Codec<unknown>;
}

export function compileClosures(fields: Fields, at: Context): Codec<Struct> {
  const layout = layoutOf(fields, at);
  const plain = layout.plain.map(compileField);
  const tagged = layout.tagged.map(compileField);
  const { absent } = layout;
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
  refuseField(at.name, at.version, name);
}

function readTagged(from: Reader, known: readonly CompiledField[], value: Struct): void {
  let previous = -1;
  for (let left = tagCount(from); left > 0; left -= 1) {
    const tag = nextTag(from, previous);
    previous = tag;
    const size = from.uvarint();
    const field = known.find((candidate) => candidate.tag === tag);
    if (field === undefined) {
      from.skip(size);
      continue;
    }
    const start = from.position;
    value[field.name] = field.codec.read(from);
    endTag(from, tag, start, size);
  }
}

function writeTagged(to: Writer, known: readonly CompiledField[], value: Struct): void {
  const set = known.filter(({ name, field }) => value[name] !== undefined && !isDefault(field, value[name]));
  to.uvarint(set.length);
  for (const { name, tag, codec } of set) {
    const writer = new Writer(64);
    codec.write(writer, value[name]);
    writeTag(to, tag, writer);
  }
}

function compileField(placed: PlacedField): CompiledField {
  const { field, at, nullable } = placed;
  const codec = compileType(field.type, at, nullable);
  if (field.type.kind !== 'struct' || !nullable) return { ...placed, codec };
  return { ...placed, codec: placed.tag < 0 ? nullableStruct(codec) : taggedNullableStruct(codec) };
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
      return compileClosures(type.fields, at) as Codec<unknown>;
    case 'array':
      return compileArray(compileType(type.element, at, false), at, nullable);
    case 'string':
      return compileString(at, nullable);
    case 'bytes':
      return compileBytes(at, nullable);
    case 'records':
      return compileRecords(at, nullable);
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
  uuid: { read: readUuid, write: (to, value) => writeUuid(to, value as string) },
};

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

const juteSizes: Lengths = { ...int32Lengths, read: (from) => juteSize(from.int32()) };
const juteCounts: Lengths = { ...int32Lengths, read: (from) => juteCount(from.int32()) };

function lengthsOf(at: Context, ofJute: Lengths): Lengths {
  if (at.encoding === 'jute') return ofJute;
  return at.encoding === 'flexible' ? compactLengths : int32Lengths;
}

function writeNull(to: Writer, lengths: Lengths, at: Context, nullable: boolean): void {
  if (!nullable) refuseNull(at.name, at.version);
  lengths.write(to, -1);
}

function compileArray(element: Codec<unknown>, at: Context, nullable: boolean): Codec<unknown> {
  const lengths = lengthsOf(at, juteCounts);
  const where = whereOf(at);
  return {
    read(from) {
      const count = lengths.read(from);
      if (count < 0 && nullable) return null;
      present(count, where, 'array');
      refuseAbsurdCount(from, count);
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
  const lengths = at.encoding === 'classic' ? int16Lengths : lengthsOf(at, juteSizes);
  const where = whereOf(at);
  return {
    read(from) {
      const size = lengths.read(from);
      return nullable ? nullableText(from, size) : from.utf8(present(size, where, 'string'));
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      const text = value as string;
      if (at.encoding === 'flexible') writeCompactText(to, text);
      else if (at.encoding === 'jute') writeLongText(to, text);
      else writeShortText(to, text, at.name, at.version);
    },
  };
}

function compileBytes(at: Context, nullable: boolean): Codec<unknown> {
  const lengths = lengthsOf(at, juteSizes);
  const where = whereOf(at);
  return {
    read(from) {
      const size = lengths.read(from);
      return nullable ? nullableBytes(from, size) : from.bytes(present(size, where, 'bytes'));
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      const bytes = value as Uint8Array;
      lengths.write(to, bytes.length);
      to.bytes(bytes);
    },
  };
}

function compileRecords(at: Context, nullable: boolean): Codec<unknown> {
  const lengths = lengthsOf(at, juteSizes);
  const where = whereOf(at);
  return {
    read(from) {
      const size = lengths.read(from);
      return nullable ? nullableRecords(from, size) : readRecords(from, present(size, where, 'records'));
    },
    write(to, value) {
      if (value === null) return writeNull(to, lengths, at, nullable);
      const list = value as Slices;
      lengths.write(to, list.size);
      to.slices(list);
    },
  };
}
