import type { Slices } from '../base/slices.ts';
import { type Constants, defaultText, evaluate, objectText, property } from './source.ts';
import type { Versions } from './versions.ts';

export type PrimitiveKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'bigint64'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid';

/** How a value is laid out; `zero` is the value of a field that nobody set, fresh each time so that values never alias. */
export type Type<T> =
  | { readonly kind: PrimitiveKind; zero(): T }
  | { readonly kind: 'array'; zero(): T; readonly element: Type<unknown> }
  | { readonly kind: 'struct'; zero(): T; readonly fields: Fields };

export interface Field {
  readonly type: Type<unknown>;
  readonly versions: Versions;
  readonly nullable?: Versions;
  /** Present: the field travels in the tagged section (from `taggedVersions`, else wherever the message is flexible). */
  readonly tag?: number;
  /** Versions in which the tag is used; in others the field stands in line. Defaults to `versions`. */
  readonly taggedVersions?: Versions;
  readonly default?: unknown;
  /** A value that an old version cannot carry may be dropped. */
  readonly ignorable?: boolean;
  /** `none` keeps the classic encoding in flexible versions (the client id of request header v2). */
  readonly flexible?: 'none';
}
export type Fields = { readonly [name: string]: Field };

type TypeValue<T> = T extends Type<infer V> ? V : never;
type FieldValue<F extends Field> = TypeValue<F['type']> | (F extends { readonly nullable: Versions } ? null : never);
export type Value<F extends Fields> = { -readonly [K in keyof F]: FieldValue<F[K]> };

export interface Message<F extends Fields> {
  readonly name: string;
  /** -1: a header or a record, which no request key names. */
  readonly apiKey: number;
  readonly versions: Versions;
  readonly flexible: Versions | 'none';
  readonly fields: F;
}
export type Infer<M> = M extends Message<infer F> ? Value<F> : never;

/** The second half of the intersection checks each default against its own field's type. */
type Checked<F extends Fields> = F & { readonly [K in keyof F]: { readonly default?: FieldValue<F[K]> } };

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

export const bool: Type<boolean> = { kind: 'bool', zero: () => false };
export const int8: Type<number> = { kind: 'int8', zero: () => 0 };
export const int16: Type<number> = { kind: 'int16', zero: () => 0 };
export const uint16: Type<number> = { kind: 'uint16', zero: () => 0 };
export const int32: Type<number> = { kind: 'int32', zero: () => 0 };
export const uint32: Type<number> = { kind: 'uint32', zero: () => 0 };
/** A number within ±2^53; decoders saturate to ±Infinity, which encoders refuse. */
export const int64: Type<number> = { kind: 'int64', zero: () => 0 };
/** 64 bits that all carry meaning. */
export const bigint64: Type<bigint> = { kind: 'bigint64', zero: () => 0n };
export const float64: Type<number> = { kind: 'float64', zero: () => 0 };
export const string: Type<string> = { kind: 'string', zero: () => '' };
/** May be a view into the frame: copy what outlives the request. */
export const bytes: Type<Uint8Array> = { kind: 'bytes', zero: () => new Uint8Array(0) };
/** Record batches: a list of slices of the frame. */
export const records: Type<Slices> = { kind: 'records', zero: () => ({ chunks: [], size: 0 }) };
/** Text form of Kafka's Uuid: URL-safe base64 of 16 bytes, 22 characters. */
export const uuid: Type<string> = { kind: 'uuid', zero: () => ZERO_UUID };

export const array = <T>(element: Type<T>): Type<T[]> => ({ kind: 'array', element, zero: () => [] });
export const struct = <const F extends Fields>(fields: Checked<F>): Type<Value<F>> => ({
  kind: 'struct',
  fields,
  zero: () => blank<F>(fields),
});
export const message = <const F extends Fields>(
  schema: Omit<Message<F>, 'fields'> & { readonly fields: Checked<F> },
): Message<F> => schema;

/** Every field at its default. */
export function blank<F extends Fields>(fields: F): Value<F> {
  const value: Record<string, unknown> = {};
  for (const name in fields) value[name] = defaultOf(fields[name] as Field);
  return value as Value<F>;
}

export function defaultOf(field: Field): unknown {
  return field.default === undefined ? field.type.zero() : field.default;
}

/** A message from the fields that matter, the others at their defaults. */
export function build<F extends Fields>(schema: Message<F>, given: Partial<Value<F>>): Value<F> {
  return (builders.get(schema) ?? builderOf(schema)).build(given) as Value<F>;
}

type Given = Readonly<Record<string, unknown>>;
interface Builder {
  build(given: Given): unknown;
}
const builders = new WeakMap<object, Builder>();

/** Answers are built for every request: what is built often gets a function that makes it by one literal. */
const GENERATE_AFTER_USES = 64;

function builderOf(schema: Message<Fields>): Builder {
  let uses = 0;
  const builder: Builder = {
    build(given) {
      uses += 1;
      if (uses === GENERATE_AFTER_USES) builder.build = generateBuild(schema.fields) ?? builder.build;
      return buildFrom(schema.fields, given);
    },
  };
  builders.set(schema, builder);
  return builder;
}

function buildFrom(fields: Fields, given: Given): unknown {
  const value: Record<string, unknown> = {};
  for (const name in fields) value[name] = given[name] === undefined ? defaultOf(fields[name] as Field) : given[name];
  return value;
}

function generateBuild(fields: Fields): Builder['build'] | undefined {
  const constants: Constants = [];
  const value = objectText(fields, (name, field) => {
    const stated = property('given', name);
    return `${stated} === undefined ? ${defaultText(field, constants)} : ${stated}`;
  });
  return evaluate(`return (given) => (${value});`, { constants });
}
