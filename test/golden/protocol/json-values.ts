/** Values of messages as JSON, in the form of Apache's JsonConverter classes: bytes in base64, only the version's fields. */
import { flatten, type Slices, slicesOf } from '../../../src/base/slices.ts';
import { defaultOf, type Field, type Fields, type Message, type Type } from '../../../src/wire/schema.ts';
import { bounds, within } from '../../../src/wire/versions.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Struct = Record<string, unknown>;

/** Our value, from JSON that may lack fields: those are at their defaults. */
export function valueFromJson(fields: Fields, json: Json): Struct {
  const given = json as { [name: string]: Json };
  const value: Struct = {};
  for (const [name, field] of Object.entries(fields)) {
    const stated = given[name];
    value[name] = stated === undefined ? defaultOf(field) : fieldFromJson(field.type, stated);
  }
  const unknown = Object.keys(given).filter((name) => fields[name] === undefined);
  if (unknown.length > 0) throw new TypeError(`fields that the schema lacks: ${unknown.join()}`);
  return value;
}

function fieldFromJson(type: Type<unknown>, json: Json): unknown {
  if (json === null) return null;
  switch (type.kind) {
    case 'array':
      return (json as Json[]).map((item) => fieldFromJson(type.element, item));
    case 'struct':
      return valueFromJson(type.fields, json);
    case 'bytes':
      return Buffer.from(json as string, 'base64');
    case 'records':
      return slicesOf(Buffer.from(json as string, 'base64'));
    case 'bigint64':
      return BigInt(json as number);
    default:
      return json;
  }
}

/** The same value with byte lists as hex, so that where they lie in memory makes no difference to a comparison. */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  if ('chunks' in value && 'size' in value) return comparable(flatten(value as Slices));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, comparable(field)]));
}

/**
 * `full`: every field that the version has differs from its default, lists have two items, nothing is null.
 * `least`: what may be null is null, lists and texts are empty, numbers are at their defaults.
 */
export type Sample = 'full' | 'least';

export function sampleOf(schema: Message<Fields>, version: number, sample: Sample): Json {
  const last = bounds(schema.versions)[1];
  let count = 0;
  const next = (): number => ++count;
  const struct = (fields: Fields, depth: number): Json => {
    const value: { [name: string]: Json } = {};
    for (const [name, field] of Object.entries(fields)) {
      if (within(field.versions, version)) value[name] = sampleField(field, depth);
    }
    return value;
  };
  const sampleField = (field: Field, depth: number): Json => {
    if (sample === 'full') return fullValue(field, field.type, depth);
    if (within(field.nullable, version)) return null;
    return field.type.kind === 'struct' ? struct(field.type.fields, depth + 1) : leastValue(field);
  };
  const fullValue = (field: Field, type: Type<unknown>, depth: number): Json => {
    if (type.kind === 'struct') return struct(type.fields, depth + 1);
    if (type.kind !== 'array') return scalar(type.kind, next(), field.default);
    // one item below the top keeps the frames readable
    const items = depth === 0 && version === last ? 2 : 1;
    return Array.from({ length: items }, () => fullValue(field, type.element, depth + 1));
  };
  return struct(schema.fields, 0);
}

function leastValue(field: Field): Json {
  const value = defaultOf(field);
  if (typeof value === 'bigint') return Number(value);
  if (value === Infinity) return 1; // 2^63-1 is no JSON number
  if (value === null) return field.type.kind === 'array' ? [] : '';
  return typeof value === 'object' ? (Array.isArray(value) ? [] : '') : (value as Json);
}

/** A value with all its bytes in use and unlike those beside it. */
function scalar(kind: string, count: number, stated: unknown): Json {
  switch (kind) {
    case 'bool':
      return stated !== true;
    case 'int8':
      return -20 - (count % 100);
    case 'int16':
      return 0x0102 + count;
    case 'uint16':
      return 0xfe00 + count;
    case 'int32':
      return count % 2 === 0 ? 0x01020304 + count : -0x01020304 - count;
    case 'uint32':
      return 0xfffe0000 + count;
    case 'int64':
    case 'bigint64':
      return count % 2 === 0 ? 0x0a0b0c0d0e0f + count : -0x0a0b0c0d0e0f - count;
    case 'float64':
      return 1.25 + count;
    case 'string':
      return count % 3 === 0 ? `ü${count}` : `s${count}`;
    case 'uuid':
      return Buffer.alloc(16, 0x40 + count).toString('base64url');
    default:
      return Buffer.from([0xff, count, 0x00]).toString('base64');
  }
}
