import type { Slices } from '../base/slices.ts';
import { compileClosures } from './closure-codec.ts';
import type { Context, Struct } from './codec-steps.ts';
import { UnsupportedVersionError } from './errors.ts';
import { generateRead, generateWrite } from './generated-codec.ts';
import { Reader } from './reader.ts';
import type { Fields, Message, Value } from './schema.ts';
import { within } from './versions.ts';
import { Writer } from './writer.ts';

export interface Codec<T> {
  read(from: Reader): T;
  write(to: Writer, value: T): void;
}

/** By message, then by version. */
const compiled = new WeakMap<object, (Codec<unknown> | undefined)[]>();

/** The codec of a message in one version, compiled at first use. */
export function codecFor<F extends Fields>(message: Message<F>, version: number): Codec<Value<F>> {
  return (compiled.get(message)?.[version] ?? compile(message, version)) as Codec<Value<F>>;
}

/** The codec of a jute record: one version, no tags. */
export function juteCodec<F extends Fields>(name: string, fields: F): Codec<Value<F>> {
  return tiered(fields, { name, version: 0, encoding: 'jute' }) as Codec<Value<F>>;
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

function compile<F extends Fields>(message: Message<F>, version: number): Codec<unknown> {
  // The peer chooses the version: never an assertion.
  if (!within(message.versions, version)) throw new UnsupportedVersionError(message.name, version);
  const encoding = within(message.flexible, version) ? 'flexible' : 'classic';
  const codec = tiered(message.fields, { name: message.name, version, encoding }) as Codec<unknown>;
  let byVersion = compiled.get(message);
  if (byVersion === undefined) {
    byVersion = [];
    compiled.set(message, byVersion);
  }
  byVersion[version] = codec;
  return codec;
}

/** Most codecs of a run are used a few times; generating all of them would cost the start time and memory. */
const GENERATE_AFTER_USES = 64;

/**
 * Closures at first; each direction becomes generated code when it has been used enough, since a server reads requests and
 * writes answers, hardly ever the reverse. A host that forbids code generation keeps the closures.
 */
function tiered(fields: Fields, at: Context): Codec<Struct> {
  const closures = compileClosures(fields, at);
  let reads = 0;
  let writes = 0;
  // Whoever has taken `read` or `write` out of the codec still comes to the generated one, by a detour.
  const codec: Codec<Struct> = {
    read(from) {
      reads += 1;
      if (reads < GENERATE_AFTER_USES) return closures.read(from);
      if (reads === GENERATE_AFTER_USES) codec.read = generateRead(fields, at) ?? closures.read;
      return codec.read(from);
    },
    write(to, value) {
      writes += 1;
      if (writes < GENERATE_AFTER_USES) return closures.write(to, value);
      if (writes === GENERATE_AFTER_USES) codec.write = generateWrite(fields, at) ?? closures.write;
      codec.write(to, value);
    },
  };
  return codec;
}
