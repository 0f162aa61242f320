import type { Slices } from '../../../base/slices.ts';
import { codecFor } from '../../../wire/codec.ts';
import { MalformedError, UnsupportedVersionError } from '../../../wire/errors.ts';
import { Reader } from '../../../wire/reader.ts';
import type { Fields, Message, Value } from '../../../wire/schema.ts';
import { bounds } from '../../../wire/versions.ts';
import { Writer } from '../../../wire/writer.ts';

/*
 * Values of internal topics, control records and what consumers hand each other:   version:int16 | fields
 * Keys of internal topics:                                                        type:int16    | fields
 *
 * A key's type is its schema's `apiKey`, and its fields never change (3.9's definitions call the type a version).
 */

type Bytes = Slices | Uint8Array;

export function writeVersioned<F extends Fields>(schema: Message<F>, version: number, value: Value<F>): Uint8Array {
  const codec = codecFor(schema, version);
  const writer = new Writer(64);
  writer.int16(version);
  codec.write(writer, value);
  return writer.finishFlat();
}

/** @throws UnsupportedVersionError on a version that the schema lacks: a newer release wrote it */
export function readVersioned<F extends Fields>(schema: Message<F>, from: Bytes): Value<F> {
  const reader = new Reader(from);
  return codecFor(schema, reader.int16()).read(reader);
}

/**
 * For formats that only ever grow at their end (consumer protocol, control records): a newer version is read as the
 * newest that we know, what follows is left alone.
 */
export function readVersionedOrNewer<F extends Fields>(schema: Message<F>, from: Bytes): Value<F> {
  const reader = new Reader(from);
  const version = reader.int16();
  if (version < 0) throw new UnsupportedVersionError(schema.name, version);
  return codecFor(schema, Math.min(version, bounds(schema.versions)[1])).read(reader);
}

/** The type of an internal topic's key. Loaders skip types that they do not know: a newer release wrote them. */
export function keyType(key: Bytes): number {
  return new Reader(key).int16();
}

export function writeKey<F extends Fields>(schema: Message<F>, value: Value<F>): Uint8Array {
  const writer = new Writer(64);
  writer.int16(schema.apiKey);
  codecFor(schema, 0).write(writer, value);
  return writer.finishFlat();
}

export function readKey<F extends Fields>(schema: Message<F>, from: Bytes): Value<F> {
  const reader = new Reader(from);
  const type = reader.int16();
  if (type !== schema.apiKey) throw new MalformedError(`${schema.name} has type ${schema.apiKey}, not ${type}`);
  return codecFor(schema, 0).read(reader);
}
