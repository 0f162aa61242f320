import { slicesOf } from '../../../base/slices.ts';
import { below, type Random } from '../../../runtime/random.ts';
import type { Field, Fields, Message, Type } from '../../../wire/schema.ts';
import { defaultOf, ZERO_UUID } from '../../../wire/schema.ts';
import { within } from '../../../wire/versions.ts';
import { encodeRequest } from './raw-client.ts';
import { batchOf } from './requests.ts';

/** Names of things that are there, so that some of what is drawn means something. */
export interface Known {
  readonly strings: readonly string[];
  readonly uuids: readonly string[];
}

/** A request of any API, drawn from its schema: legal to decode, and mostly nonsense. */
export function drawRequest(schema: Message<Fields>, version: number, random: Random, known: Known): Uint8Array {
  return encodeRequest(schema, version, drawFields(schema.fields, { version, random, known, depth: 0 }));
}

interface Draw {
  readonly version: number;
  readonly random: Random;
  readonly known: Known;
  readonly depth: number;
}

function drawFields(fields: Fields, at: Draw): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, drawField(field, at)]));
}

function drawField(field: Field, at: Draw): unknown {
  const { version, random } = at;
  if (!within(field.versions, version)) return defaultOf(field);
  if (within(field.nullable, version) && below(random, 6) === 0) return null;
  if (below(random, 4) === 0) {
    const usual = defaultOf(field);
    if (usual !== null || within(field.nullable, version)) return usual;
  }
  return drawValue(field.type, at);
}

const wide: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function drawValue(type: Type<unknown>, at: Draw): unknown {
  const { random, known } = at;
  switch (type.kind) {
    case 'bool':
      return below(random, 2) === 0;
    case 'string':
      return drawString(random, known);
    case 'uuid':
      return pick(random, [ZERO_UUID, ...known.uuids, Buffer.from(random.bytes(16)).toString('base64url')]);
    case 'bytes':
      return random.bytes(below(random, 40));
    case 'records':
      return slicesOf(drawRecords(random));
    case 'bigint64':
      return BigInt(drawInteger('int64', random));
    case 'float64':
      return pick(random, [0, -1, 1.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]);
    case 'array': {
      const count = at.depth > 2 ? below(random, 2) : below(random, 4);
      return Array.from({ length: count }, () => drawValue(type.element, { ...at, depth: at.depth + 1 }));
    }
    case 'struct':
      return drawFields(type.fields, at);
    default:
      return drawInteger(type.kind, random);
  }
}

function drawInteger(kind: string, random: Random): number {
  const [least, most] = wide[kind] ?? [0, 0];
  const drawn = pick(random, [0, 1, -1, 2, below(random, 16), -below(random, 8), least, most, below(random, 200)]);
  return Math.min(Math.max(drawn, least), most);
}

function drawString(random: Random, known: Known): string {
  const odd = [
    '',
    ' ',
    '.',
    '../up',
    'ünï¢ode ✓',
    '\u0000',
    'a'.repeat(250),
    'a'.repeat(300),
    '12',
    '-1',
    '*',
    'x,y:z',
  ];
  return below(random, 3) > 0 ? pick(random, known.strings) : pick(random, odd);
}

function drawRecords(random: Random): Uint8Array {
  const codec = pick(random, ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const);
  const magic = codec === 'zstd' ? 2 : pick(random, [0, 1, 2, 2] as const);
  const values = Array.from({ length: 1 + below(random, 5) }, () => 'x'.repeat(below(random, 300)));
  const producer = { producerId: below(random, 3), producerEpoch: below(random, 2), baseSequence: below(random, 5) };
  const batch = batchOf(values, { magic, codec, ...(magic === 2 && below(random, 2) === 0 ? producer : {}) });
  return below(random, 3) === 0 ? mutate(batch, random) : batch;
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[below(random, choices.length)] as T;
}

/** The same bytes but for some that are others, missing, or too many. */
export function mutate(source: Uint8Array, random: Random): Buffer {
  const bytes = Buffer.from(source);
  switch (below(random, 5)) {
    case 0:
      return bytes.subarray(0, below(random, bytes.length));
    case 1:
      return Buffer.concat([bytes, random.bytes(1 + below(random, 30))]);
    case 2:
      if (bytes.length >= 4) bytes.writeUInt32BE(pick(random, lengths), below(random, bytes.length - 3));
      return bytes;
    case 3: {
      const from = below(random, bytes.length);
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + below(random, 12))]);
    }
    default:
      for (let times = 1 + below(random, 6); times > 0 && bytes.length > 0; times -= 1) {
        bytes[below(random, bytes.length)] = random.uint32();
      }
      return bytes;
  }
}

/** Where a length, a count or an offset stands, each of them is a lie. */
const lengths = [0xffffffff, 0x7fffffff, 0x80000000, 0x00ffffff, 0xfffffffe, 0x0000ffff, 0x7f7f7f7f, 0];
