/** Compressed batches of magic 2 with a right checksum over a stream that is not right: broken, cut, continued, or miscounted. */
import { crc32c } from '../../../src/base/crc32c.ts';
import { copyOf } from '../../../src/base/slices.ts';
import type { CodecName } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';

export interface SpoiledBatch {
  readonly name: string;
  readonly bytes: Buffer;
}

const codecs: readonly CodecName[] = ['gzip', 'snappy', 'lz4', 'zstd'];
const STREAM_AT = 61;

/** How many records of how many bytes: one block of each codec, many of some, and many of all. */
const shapes: readonly (readonly [count: number, valueBytes: number])[] = [
  [3, 40],
  [40, 300],
  [400, 100],
  [2000, 60],
  [3, 90_000],
];

/** Half of it repeats itself, so that every codec finds something to do. */
function noisyValue(index: number, size: number): Buffer {
  const value = Buffer.alloc(size, `value ${index} `);
  let state = index + 1;
  for (let at = 0; at < size; at += 2) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    if ((at >> 5) % 2 === 0) value[at] = state >> 16;
  }
  return value;
}

export function* spoiledBatches(): Generator<SpoiledBatch> {
  for (const codec of codecs) {
    for (const [count, valueBytes] of shapes) {
      const records = Array.from({ length: count }, (_, index) => ({
        timestamp: 1_700_000_000_000 + index,
        value: noisyValue(index, valueBytes),
      }));
      const whole = Buffer.from(copyOf(buildBatch({ codec, records })));
      for (const [name, bytes] of spoiled(whole)) yield { name: `${codec} of ${count} records, ${name}`, bytes };
    }
  }
}

function* spoiled(whole: Buffer): Generator<[string, Buffer]> {
  const stream = whole.subarray(STREAM_AT);
  const { length } = stream;
  const places = [0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 16, 20, 21, 24, 30, 40];
  const parts = [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.97].map((part) => Math.floor(length * part));
  const ends = [1, 2, 3, 4, 5, 6, 8, 9, 10].map((back) => length - back);
  yield ['as it should be', whole];
  for (const at of new Set([...places, ...parts, ...ends])) {
    if (at < 0 || at >= length) continue;
    yield [`byte ${at} of ${length} turned round`, withStream(whole, turned(stream, at))];
    if (at > 0) yield [`cut to ${at} bytes of ${length}`, withStream(whole, stream.subarray(0, at))];
  }
  yield ['nothing', withStream(whole, stream.subarray(0, 0))];
  for (const [what, more] of Object.entries(continuations(stream)))
    yield [`then ${what}`, withStream(whole, Buffer.concat([stream, more]))];
  for (const by of [-1, 1]) yield [`${by} in the count`, withCount(whole, by)];
}

function turned(stream: Buffer, at: number): Buffer {
  const copy = Buffer.from(stream);
  copy[at] = ~copy[at]!;
  return copy;
}

function continuations(stream: Buffer): Readonly<Record<string, Buffer>> {
  return {
    'a zero': Buffer.alloc(1),
    'two bytes': Buffer.of(0x1f, 0x8b),
    'three bytes': Buffer.of(0x82, 0x53, 0x4e),
    'four bytes': Buffer.of(0x82, 0x53, 0x4e, 0x41),
    'the head of another header': Buffer.from('82534e4150505900ff', 'hex'),
    'eighteen bytes': Buffer.alloc(18, 0x1f),
    'many zeros': Buffer.alloc(40),
    'a byte': Buffer.of(1),
    'many bytes': Buffer.alloc(40, 0x35),
    'the stream again': stream,
    'the beginning of another': stream.subarray(0, Math.min(12, stream.length - 1)),
  };
}

function withStream(whole: Buffer, stream: Buffer): Buffer {
  const bytes = Buffer.concat([whole.subarray(0, STREAM_AT), stream]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  return sealed(bytes);
}

function withCount(whole: Buffer, by: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes.writeInt32BE(bytes.readInt32BE(57) + by, 57);
  bytes.writeInt32BE(bytes.readInt32BE(23) + by, 23);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}
