import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { schemas, versionsOf } from '../../test/golden/protocol/our-schemas.ts';
import { type Slices, slicesOf } from '../base/slices.ts';
import * as proto from '../zookeeper/jute/proto.ts';
import * as txn from '../zookeeper/jute/txn.ts';
import { compileClosures } from './closure-codec.ts';
import { type Codec, codecFor, encode } from './codec.ts';
import type { Context, Struct } from './codec-steps.ts';
import { generateRead, generateWrite } from './generated-codec.ts';
import { Reader } from './reader.ts';
import {
  array,
  blank,
  bool,
  build,
  bytes,
  defaultOf,
  type Field,
  type Fields,
  float64,
  int32,
  type Message,
  message,
  records,
  string,
  struct,
  type Type,
  uint16,
  uint32,
  uuid,
} from './schema.ts';
import { within } from './versions.ts';
import { Writer } from './writer.ts';

/*
 * The closures are the oracle: in every version of every message the generated codec reads the same value, writes the same
 * bytes and refuses in the same words, whatever it is given.
 */

/** What Kafka's messages hardly use. */
const Inner = struct({
  id: { type: int32, versions: '0+', default: 7 },
  late: { type: string, versions: '1+', nullable: '2+' },
  lateTag: { type: bytes, versions: '1+', tag: 0 },
});
const Rare = message({
  name: 'Rare',
  apiKey: -1,
  versions: '0-3',
  flexible: '2+',
  fields: {
    tagFirst: { type: array(Inner), versions: '1+', tag: 3, taggedVersions: '2+' },
    ratio: { type: float64, versions: '0+', default: -0.5 },
    port: { type: uint16, versions: '0+' },
    mask: { type: uint32, versions: '0-2', default: 0xffffffff },
    flag: { type: bool, versions: '1+', default: true },
    inLine: { type: Inner, versions: '0+', nullable: '0+', default: null },
    classic: { type: Inner, versions: '0+', flexible: 'none' },
    grid: { type: array(array(string)), versions: '0+', nullable: '0+' },
    batch: { type: records, versions: '1+', tag: 1, taggedVersions: '2+' },
    blob: { type: bytes, versions: '1+', nullable: '3+' },
    id: { type: uuid, versions: '2+', tag: 0 },
    tagged: { type: Inner, versions: '2+', tag: 4 },
    taggedOrNull: { type: Inner, versions: '2+', nullable: '2+', tag: 2, default: null },
    'odd name': { type: string, versions: '0+', default: 'a "quoted"\n\u2028 text' },
  },
});

interface Subject {
  readonly name: string;
  readonly fields: Fields;
  readonly contexts: readonly Context[];
}

const subjects: readonly Subject[] = [
  ...[...schemas, Rare as Message<Fields>].map((schema) => ({
    name: schema.name,
    fields: schema.fields,
    contexts: versionsOf(schema).map((version) => ({
      name: schema.name,
      version,
      encoding: within(schema.flexible, version) ? ('flexible' as const) : ('classic' as const),
    })),
  })),
  ...[...Object.values(proto), ...Object.values(txn)].flatMap((record) =>
    typeof record === 'object' && 'fields' in record
      ? [{ name: record.name, fields: record.fields, contexts: [{ ...record, version: 0, encoding: 'jute' as const }] }]
      : [],
  ),
];

/** Values from a seed: mulberry32. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % bound;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const texts = ['', 'a', 'topic-1', 'naïve', '€'.repeat(30), 'x'.repeat(200)];
const lists = [0, 1, 17, 1500].map((size) => Buffer.alloc(size, size));
const numbers = [0, -1, 1, 127, -128, 30_000, -2_000_000_000, 2_147_483_647];
const large = [0, -1, 2 ** 40 + 5, -(2 ** 50), Number.MAX_SAFE_INTEGER];

/** @param wild also what no version can carry: null and undefined anywhere, texts too long, fields of other versions */
function structValue(fields: Fields, at: Context, chance: Chance, wild: boolean): Struct {
  const value: Struct = {};
  for (const [name, field] of Object.entries(fields)) value[name] = fieldValue(field, at, chance, wild);
  return value;
}

function fieldValue(field: Field, at: Context, chance: Chance, wild: boolean): unknown {
  if (wild && chance.oneIn(12)) return chance.pick([null, undefined]);
  if (chance.oneIn(3)) return defaultOf(field);
  if (!within(field.versions, at.version) && !(wild && chance.oneIn(6))) return defaultOf(field);
  if (within(field.nullable, at.version) && chance.oneIn(4)) return null;
  return typeValue(field.type, at, chance, wild);
}

function typeValue(type: Type<unknown>, at: Context, chance: Chance, wild: boolean): unknown {
  switch (type.kind) {
    case 'struct':
      return structValue(type.fields, at, chance, wild);
    case 'array':
      return Array.from({ length: chance.below(3) }, () => typeValue(type.element, at, chance, wild));
    case 'bool':
      return chance.oneIn(2);
    case 'string':
      return wild && chance.oneIn(10) ? 'ü'.repeat(chance.pick([16_383, 16_384])) : chance.pick(texts);
    case 'bytes':
      return chance.pick(lists);
    case 'records':
      return slicesOf(chance.pick(lists), chance.pick(lists));
    case 'uuid':
      return wild && chance.oneIn(10) ? 'short' : Buffer.alloc(16, chance.below(256)).toString('base64url');
    case 'bigint64':
      return BigInt(chance.pick(large)) * 1000n;
    case 'float64':
      return chance.pick(large) / 3;
    case 'int64':
      return wild && chance.oneIn(10) ? Infinity : chance.pick(large);
    default:
      return chance.pick(numbers);
  }
}

/** What a call gave, or how it failed. The engine's own words about undefined depend on the code, ours do not. */
function outcome(call: () => unknown): unknown {
  try {
    return { gave: call() };
  } catch (error) {
    if (error instanceof TypeError) return { failed: 'TypeError' };
    return { failed: (error as Error).name, message: (error as Error).message };
  }
}

/** `deepEqual` would compute a diff of whole messages for minutes. */
function assertSame(generated: unknown, oracle: unknown, at: Context): void {
  if (isDeepStrictEqual(generated, oracle)) return;
  const show = (value: unknown): string => inspect(value, { depth: 8, maxArrayLength: 9, maxStringLength: 40 });
  assert.fail(`version ${at.version}: generated ${show(generated)}, closures ${show(oracle)}`);
}

function written(codec: Codec<Struct>, value: Struct): Slices {
  const writer = new Writer(16);
  codec.write(writer, value);
  return writer.finish();
}

interface Pair {
  readonly oracle: Codec<Struct>;
  readonly generated: Codec<Struct>;
  readonly at: Context;
}

function compareReads({ oracle, generated, at }: Pair, source: Slices | Uint8Array): void {
  const read = (codec: Codec<Struct>) => () => {
    const from = new Reader(source);
    return { value: codec.read(from), position: from.position };
  };
  assertSame(outcome(read(generated)), outcome(read(oracle)), at);
}

const VALUES = 6;

function compare({ fields }: Subject, at: Context): void {
  const oracle = compileClosures(fields, at);
  const generated = { read: generateRead(fields, at)!, write: generateWrite(fields, at)! };
  for (let seed = 0; seed < VALUES; seed += 1) {
    const chance = new Chance(seed * 1000 + at.version);
    const wild = seed % 2 === 1;
    const value = seed === 0 ? blank(fields) : structValue(fields, at, chance, wild);
    const expected = outcome(() => Buffer.concat(written(oracle, value).chunks));
    assert.deepEqual(
      outcome(() => Buffer.concat(written(generated, value).chunks)),
      expected,
    );
    if (!('gave' in (expected as object))) continue;
    const encoded = (expected as { gave: Buffer }).gave;
    compareReads({ oracle, generated, at }, encoded);
    for (const bytes of damaged(encoded, chance)) compareReads({ oracle, generated, at }, bytes);
  }
}

/** Cut short (small messages at every byte), cut into chunks, with changed bytes, and with tags at the end. */
function* damaged(bytes: Buffer, chance: Chance): Generator<Slices | Uint8Array> {
  const step = Math.max(1, bytes.length >> 6);
  for (let size = 0; size < bytes.length; size += step) yield bytes.subarray(0, size);
  const middle = chance.below(bytes.length + 1);
  yield slicesOf(bytes.subarray(0, middle), bytes.subarray(middle));
  for (let count = 0; count < 20 && bytes.length > 0; count += 1) {
    const changed = Buffer.from(bytes);
    changed[chance.below(Math.min(bytes.length, 200))] = chance.pick([0, 1, 2, 0x7f, 0x80, 0xff]);
    yield changed;
  }
  for (const tags of [
    '013f02ffff',
    '023f00070100',
    '023e003f0101',
    '0105',
    '010000',
    '01000101',
    '04000001000200030000',
  ]) {
    yield Buffer.concat([bytes.subarray(0, -1), Buffer.from(tags, 'hex')]);
  }
}

for (const subject of subjects) {
  test(`${subject.name} is read, written and refused by generated code as by closures`, () => {
    for (const at of subject.contexts) compare(subject, at);
  });
}

test('generated code makes structs with their fields in the order of the schema', () => {
  for (const { fields, contexts } of subjects) {
    for (const at of contexts) {
      const writer = new Writer();
      compileClosures(fields, at).write(writer, blank(fields));
      const value = generateRead(fields, at)!(new Reader(writer.finishFlat()));
      assert.deepEqual(Object.keys(value), Object.keys(fields));
    }
  }
});

test('what was read shares no default with what was read before', () => {
  const at: Context = { name: 'Rare', version: 0, encoding: 'classic' };
  const bytes = encode(Rare, 0, build(Rare, {}));
  const read = generateRead(Rare.fields, at)!;
  const [first, second] = [read(new Reader(bytes)), read(new Reader(bytes))];
  for (const name of ['tagFirst', 'batch', 'blob', 'tagged']) assert.notEqual(first[name], second[name]);
});

const Counted = message({
  name: 'Counted',
  apiKey: -1,
  versions: '0-1',
  flexible: 'none',
  fields: { id: { type: int32, versions: '0+' } },
});

test('a message that is built often holds the same as at first', () => {
  const given = { flag: false, port: undefined, inLine: { id: 1, late: '', lateTag: new Uint8Array(1) } } as const;
  const first = build(Rare, given);
  for (let count = 0; count < 100; count += 1) assert.deepEqual(build(Rare, given), first);
  assert.deepEqual(first, { ...blank(Rare.fields), flag: false, inLine: given.inLine });
  assert.notEqual(build(Rare, given).grid, build(Rare, given).grid);
});

test('a codec that is used often becomes generated code and stays the same object', () => {
  const codec = codecFor(Counted, 0);
  const { read, write } = codec;
  for (let id = 0; id < 200; id += 1) {
    const writer = new Writer();
    const long = codecFor(Counted, 0);
    assert.equal(long, codec);
    (id % 2 === 0 ? write : long.write)(writer, { id });
    assert.deepEqual((id % 3 === 0 ? read : long.read)(new Reader(writer.finishFlat())), { id });
  }
  assert.notEqual(codec.read, read);
  assert.notEqual(codec.write, write);
});

test('a host that forbids code generation keeps the closures', (t) => {
  const { Function: original } = globalThis;
  t.after(() => {
    globalThis.Function = original;
  });
  globalThis.Function = class {
    constructor() {
      throw new EvalError('Code generation from strings disallowed for this context');
    }
  } as unknown as FunctionConstructor;
  const at: Context = { name: 'Counted', version: 1, encoding: 'classic' };
  assert.equal(generateRead(Counted.fields, at), undefined);
  const codec = codecFor(Counted, 1);
  for (let id = 0; id < 200; id += 1) {
    const writer = new Writer();
    codec.write(writer, { id });
    assert.deepEqual(codec.read(new Reader(writer.finishFlat())), { id });
  }
});
