import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../base/assert.ts';
import { flatten, type Slices, slicesOf } from '../base/slices.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import { codecFor, decode, encode } from './codec.ts';
import { LossyEncodingError, MalformedError, UnsupportedVersionError } from './errors.ts';
import { FrameSplitter } from './framing.ts';
import { Reader } from './reader.ts';
import { array, bool, build, int32, int64, message, records, string, struct, uuid } from './schema.ts';
import { Writer } from './writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Every way to cut bytes into two chunks, and byte by byte. */
function* cuts(bytes: Uint8Array): Generator<Slices> {
  for (let at = 0; at <= bytes.length; at += 1) yield slicesOf(bytes.subarray(0, at), bytes.subarray(at));
  yield slicesOf(...Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)));
}

test('fixed fields read the same wherever the chunks are cut', () => {
  const writer = new Writer(4);
  writer.int8(-3);
  writer.int16(-300);
  writer.int32(-70_000);
  writer.int64(-(2 ** 40) - 7);
  writer.bigint64(-(2n ** 63n));
  writer.float64(1.5);
  writer.uvarint(300);
  writer.varint(-65);
  writer.varlong(-(2 ** 50));
  writer.utf8('naïve');
  for (const source of cuts(writer.finishFlat())) {
    const reader = new Reader(source);
    assert.equal(reader.int8(), -3);
    assert.equal(reader.int16(), -300);
    assert.equal(reader.int32(), -70_000);
    assert.equal(reader.int64(), -(2 ** 40) - 7);
    assert.equal(reader.bigint64(), -(2n ** 63n));
    assert.equal(reader.float64(), 1.5);
    assert.equal(reader.uvarint(), 300);
    assert.equal(reader.varint(), -65);
    assert.equal(reader.varlong(), -(2 ** 50));
    assert.equal(reader.utf8(6), 'naïve');
    assert.equal(reader.remaining, 0);
  }
});

const varintCases = [
  { value: 0, want: '00' },
  { value: -1, want: '01' },
  { value: 1, want: '02' },
  { value: 63, want: '7e' },
  { value: 64, want: '8001' },
  { value: -65, want: '8101' },
  { value: 300, want: 'd804' },
];
for (const { value, want } of varintCases) {
  test(`varint ${value} is ${want}`, () => {
    const writer = new Writer();
    writer.varint(value);
    assert.equal(hex(writer.finishFlat()), want);
    const long = new Writer();
    long.varlong(value);
    assert.equal(hex(long.finishFlat()), want);
  });
}

test('variable-length numbers come back', () => {
  fc.assert(
    fc.property(fc.integer(), fc.maxSafeInteger(), fc.nat(0xffffffff), (small, large, unsigned) => {
      const writer = new Writer(1);
      writer.varint(small);
      writer.varlong(large);
      writer.uvarint(unsigned);
      writer.int64(large);
      const reader = new Reader(writer.finishFlat());
      assert.deepEqual(
        [reader.varint(), reader.varlong(), reader.uvarint(), reader.int64()],
        [small, large, unsigned, large],
      );
    }),
  );
});

test('an int64 beyond 2^53 saturates, orders right and is never written', () => {
  const reader = new Reader(Buffer.from('7fffffffffffffff8000000000000000', 'hex'));
  assert.equal(reader.int64(), Infinity);
  assert.equal(reader.int64(), -Infinity);
  assert.throws(() => new Writer().int64(Infinity));
});

test('a read beyond the end is malformed, not undefined', () => {
  for (const read of [
    (reader: Reader) => reader.int8(),
    (reader: Reader) => reader.int64(),
    (reader: Reader) => reader.bytes(1),
    (reader: Reader) => reader.skip(1),
    (reader: Reader) => reader.utf8(3),
  ]) {
    assert.throws(() => read(new Reader(new Uint8Array(0))), MalformedError);
  }
  assert.throws(() => new Reader(Buffer.from('ffffffffff01', 'hex')).uvarint(), MalformedError);
});

const Inner = struct({
  id: { type: int32, versions: '0+' },
  note: { type: string, versions: '1+', nullable: '1+', ignorable: true },
});
const Sample = message({
  name: 'Sample',
  apiKey: -1,
  versions: '0-3',
  flexible: '2+',
  fields: {
    topic: { type: string, versions: '0+' },
    parts: { type: array(Inner), versions: '0+', nullable: '1+' },
    exact: { type: bool, versions: '1+', default: true },
    offset: { type: int64, versions: '2+', tag: 0, default: -1 },
    group: { type: uuid, versions: '3+', tag: 1 },
    extra: { type: Inner, versions: '3+', nullable: '3+', tag: 2, default: null },
    batch: { type: records, versions: '0+', nullable: '0+', default: null },
  },
});

test('the classic encoding is Kafka’s', () => {
  const value = build(Sample, { topic: 'ab', parts: [{ id: 7, note: null }] });
  assert.equal(hex(encode(Sample, 0, value)), '00026162' + '00000001' + '00000007' + 'ffffffff');
  assert.equal(hex(encode(Sample, 1, value)), '00026162' + '00000001' + '00000007' + 'ffff' + '01' + 'ffffffff');
});

test('the flexible encoding has compact lengths and ascending tags for what is not the default', () => {
  const value = build(Sample, { topic: 'ab', parts: null, offset: 5, extra: { id: 1, note: 'x' } });
  assert.equal(
    hex(encode(Sample, 3, value)),
    '036162' + '00' + '01' + '00' + '02' + '0008' + '0000000000000005' + '0208' + '01' + '00000001' + '0278' + '00',
  );
  assert.deepEqual(decode(Sample, 3, encode(Sample, 3, value)), value);
});

test('a tagged struct that is null has the presence 0, in line it has -1', () => {
  const nullable = { type: Inner, versions: '0+', nullable: '0+' } as const;
  const Nulls = message({
    name: 'Nulls',
    apiKey: -1,
    versions: '0',
    flexible: '0+',
    fields: { inLine: nullable, tagged: { ...nullable, tag: 0 } },
  });
  const value = { inLine: null, tagged: null };
  assert.equal(hex(encode(Nulls, 0, value)), 'ff' + '01' + '00' + '01' + '00'); // as ConsumerGroupMemberMetadataValue
  assert.deepEqual(decode(Nulls, 0, encode(Nulls, 0, value)), value);
});

test('unknown tags are skipped, descending ones refused', () => {
  const start = '0261000100';
  assert.equal(decode(Sample, 3, Buffer.from(`${start}010902ffff`, 'hex')).topic, 'a');
  assert.throws(() => decode(Sample, 3, Buffer.from(`${start}0209000800`, 'hex')), MalformedError);
});

test('a value that the version cannot carry is refused unless ignorable', () => {
  assert.throws(() => encode(Sample, 0, build(Sample, { exact: false })), LossyEncodingError);
  assert.throws(() => encode(Sample, 0, build(Sample, { parts: null })), LossyEncodingError);
  assert.doesNotThrow(() => encode(Sample, 0, build(Sample, { parts: [{ id: 1, note: 'dropped' }] })));
});

test('a text that is no uuid is never written', () => {
  assert.throws(() => encode(Sample, 3, build(Sample, { group: 'short' })), InvariantError);
});

test('an unknown version is the peer’s fault', () => {
  assert.throws(() => codecFor(Sample, 4), UnsupportedVersionError);
});

test('an absurd array count is refused before room is made for it', () => {
  assert.throws(() => decode(Sample, 0, Buffer.from('00007fffffff', 'hex')), MalformedError);
});

test('frames come out whole wherever the stream is cut', () => {
  const frames = ['', 'a', 'bc'.repeat(40), '', 'd'];
  const stream = Buffer.concat(
    frames.map((frame) => {
      const writer = new Writer();
      writer.int32(frame.length);
      writer.utf8(frame);
      return writer.finishFlat();
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 })), (sizes) => {
      const splitter = new FrameSplitter(1000);
      const seen: string[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        splitter.push(stream.subarray(at, at + size), (frame) => {
          seen.push(Buffer.from(flatten(frame)).toString());
          return true;
        });
        at += size;
        if (at >= stream.length) break;
      }
      assert.deepEqual(seen, frames);
    }),
  );
});

test('chunks that are only lent are not needed once the call is over, and blocks are used again', () => {
  const block = 65_536;
  /** Less is not lent, and may come from Node's own pool, which is as large as a block. */
  const lentFromBytes = 16_384;
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 15_000, max: 3 * block })), {
    minLength: 5,
    maxLength: 12,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 2 * block }), { minLength: 3, maxLength: 20 });
  fc.assert(
    fc.property(sizes, cuts, (lengths, pieces) => {
      const pool = new BufferPool({
        bufferBytes: block,
        lentFromBytes,
        freeBytesMax: 8 << 20,
        fillByte: 0xdb,
      });
      const memory = new Set<ArrayBufferLike>();
      let lent = 0;
      const splitter = new FrameSplitter(1 << 20, pool);
      const stream = Buffer.concat(
        lengths.map((length, index) => {
          const frame = Buffer.alloc(4 + length, index + 1);
          frame.writeInt32BE(length);
          return frame;
        }),
      );
      let seen = 0;
      for (let at = 0, piece = 0; at < stream.length; piece += 1) {
        const size = pieces[piece % pieces.length]!;
        const chunk = Buffer.from(stream.subarray(at, at + size));
        splitter.push(chunk, (frame, used) => {
          assert.equal(frame.size, lengths[seen]);
          assert.ok(flatten(frame).every((byte) => byte === seen + 1));
          seen += 1;
          for (const loan of used) {
            const [piece] = loan.buffers;
            if (piece !== undefined && piece.length >= lentFromBytes) {
              memory.add(piece.buffer);
              lent += 1;
            }
            loan.giveBack();
          }
          return true;
        });
        chunk.fill(0xee);
        at += size;
      }
      assert.equal(seen, lengths.length);
      // One connection has one unfinished frame at a time.
      assert.ok(memory.size <= 4, `${memory.size} blocks, lent ${lent} times`);
    }),
  );
});

test('a frame above the limit or of negative size is refused', () => {
  assert.throws(() => new FrameSplitter(10).push(Buffer.from('0000000b', 'hex'), () => true), MalformedError);
  assert.throws(() => new FrameSplitter(10).push(Buffer.from('ffffffff', 'hex'), () => true), MalformedError);
});

test('the beginning of a frame that is long in coming keeps nothing else alive', () => {
  const slab = Buffer.alloc(1_048_576);
  const chunk = slab.subarray(500_000, 500_010);
  chunk.writeInt32BE(8);
  chunk.set(Buffer.from('before'), 4);
  const frames: Slices[] = [];
  const splitter = new FrameSplitter(1000);
  splitter.push(chunk, (frame) => frames.push(frame) > 0);
  chunk.fill(0);
  splitter.push(Buffer.from('!!'), (frame) => frames.push(frame) > 0);
  const [frame] = frames;
  assert.equal(Buffer.concat(frame?.chunks ?? []).toString(), 'before!!');
  assert.ok(frame?.chunks.every(({ buffer }) => buffer !== slab.buffer));
});
