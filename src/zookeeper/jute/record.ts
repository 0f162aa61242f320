import { type Codec, juteCodec } from '../../wire/codec.ts';
import {
  array,
  bigint64,
  bool,
  bytes,
  type Fields,
  int32,
  int64,
  string,
  struct,
  type Type,
  type Value,
} from '../../wire/schema.ts';
import type { SessionId, Zxid } from './ids.ts';

/** A record of zookeeper.jute: its codec, and its type for use inside other records. */
export interface JuteRecord<F extends Fields> extends Codec<Value<F>> {
  readonly name: string;
  readonly fields: F;
  readonly type: Type<Value<F>>;
}
export type InferRecord<R> = R extends JuteRecord<infer F> ? Value<F> : never;

export function record<const F extends Fields>(name: string, fields: F): JuteRecord<F> {
  const { read, write } = juteCodec(name, fields);
  return { name, fields, type: struct<Fields>(fields) as Type<Value<F>>, read, write };
}

// The fields of jute records. Jute has one version and lets any string, buffer or vector be null; null is part of a field's
// type only where it has a meaning, elsewhere a reader refuses it (Apache's server dies of a NullPointerException there).
const field = <T>(type: Type<T>) => ({ type, versions: '0' }) as const;
const nullable = <T>(type: Type<T>) => ({ type, versions: '0', nullable: '0' }) as const;

export const boolean = field(bool);
export const int = field(int32);
/** 64 bits that all carry meaning. */
export const long = field(bigint64);
/** A long that is a number: milliseconds. Saturates outside ±2^53. */
export const longNumber = field(int64);
export const zxid = field(bigint64 as Type<Zxid>);
export const sessionId = field(bigint64 as Type<SessionId>);
export const ustring = field(string);
export const nullableUstring = nullable(string);
/** Null and empty differ. What was read may be a view into the frame. */
export const buffer = nullable(bytes);
export const ustrings = nullable(array(string));
export const vector = <F extends Fields>(element: JuteRecord<F>) => nullable(array(element.type));
export const nested = <F extends Fields>(inner: JuteRecord<F>) => field(inner.type);
