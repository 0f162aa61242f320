import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { CompressionError, OversizeError } from '../../base/compression-error.ts';
import type { NativeLz4 } from '../../base/native-codecs.ts';
import { slicesOf } from '../../base/slices.ts';
import { snappyFrame, snappyPieces, snappyUnframe } from '../../base/snappy.ts';
import { snappyCompress } from '../../base/snappy-block.ts';
import { runToEnd, type Steps } from '../../base/steps.ts';
import { codecNames } from './batch.ts';
import { compress, decompress, packSteps, unpackSteps } from './compression.ts';
import { gzipPieces } from './gzip-pieces.ts';
import { lz4Frame, lz4Unframe } from './lz4.ts';
import { xxhash32 } from './xxhash32.ts';
import { zlibPack, zstdPieces } from './zlib-pieces.ts';

const codecs = codecNames.filter((codec) => codec !== 'none');
const ample = 1 << 20;

/** Runs, repeats at all distances and noise, across the block sizes of every codec. */
const payload = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.integer({ min: 1, max: 2000 })),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => (Array.isArray(part) ? repeat(part[0], part[1]) : part))));

function repeat(pattern: Uint8Array, times: number): Buffer {
  return Buffer.alloc(Math.min(pattern.length * times, 40_000), pattern);
}

for (const codec of codecs) {
  test(`${codec} gives back what it took, at any level`, () => {
    fc.assert(
      fc.property(
        payload,
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        fc.constantFrom(undefined, 1, 4, 9),
        (bytes, magic, level) => {
          const packed = compress(codec, bytes, { magic, level });
          assert.ok(bytes.equals(decompress(codec, packed, { magic, sizeMax: Math.max(bytes.length, 1) })));
          if (bytes.length < 2) return;
          assert.throws(() => decompress(codec, packed, { magic, sizeMax: bytes.length - 1 }), CompressionError);
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`damaged ${codec} bytes give the typed error or other bytes, within the bound`, () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(payload, fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(), (bytes, changes, cut) => {
        const packed = Uint8Array.from(compress(codec, bytes, { magic: 2 }));
        for (const [at, flip] of changes) packed[at % packed.length]! ^= flip;
        const damaged = cut % 3 === 0 ? packed.subarray(0, cut % packed.length) : packed;
        try {
          assert.ok(decompress(codec, damaged, { magic: 2, sizeMax: ample }).length <= ample);
        } catch (error) {
          assert.ok(error instanceof CompressionError, String(error));
        }
      }),
      { numRuns: 150 },
    );
  });
}

test('the portable Snappy and the native one, where it is, read the same bytes', () => {
  fc.assert(
    fc.property(payload, (bytes) => {
      const packed = snappyFrame(bytes);
      assert.ok(bytes.equals(snappyUnframe(packed, ample)));
      assert.ok(bytes.equals(snappyUnframe(packed, ample, null)));
    }),
  );
});

test('the portable LZ4 and the native one, where it is, read each other’s bytes', () => {
  fc.assert(
    fc.property(payload, (bytes) => {
      for (const packed of [lz4Frame(bytes, { magic: 2 }), lz4Frame(bytes, { magic: 2 }, null)]) {
        assert.ok(bytes.equals(lz4Unframe(packed, { magic: 2 }, ample)));
        assert.ok(bytes.equals(lz4Unframe(packed, { magic: 2 }, ample, null)));
      }
    }),
  );
});

test('what the native LZ4 made is given back at once, unless others have memory beside it', () => {
  const input = Buffer.alloc(40_000, 'Odradek ');
  const made = (buffer: ArrayBuffer, at: number): Buffer => {
    const block = Buffer.from(buffer, at, 8);
    block.set([0, 0, 0, 0, 0x30, 1, 2, 3]);
    return block;
  };
  for (const [size, at] of [
    [8, 0],
    [16, 8],
  ] as const) {
    const memory = new ArrayBuffer(size);
    const native: NativeLz4 = {
      compressSync: () => made(memory, at),
      uncompressSync: () => assert.fail('nothing is read'),
    };
    const frame = lz4Frame(input, { magic: 2 }, native);
    assert.deepEqual([...frame.subarray(7)], [4, 0, 0, 0, 0x30, 1, 2, 3, 0, 0, 0, 0]);
    assert.equal(memory.detached, size === 8);
  }
});

test('Snappy is read in xerial’s framing, as several streams, and as one raw block', () => {
  const bytes = Buffer.alloc(100_000, 'Odradek rolls down the stairs. ');
  const framed = snappyFrame(bytes);
  assert.equal(
    Buffer.from(framed.subarray(0, 16)).toString('hex'),
    '82534e415050590000000001 00000001'.replace(' ', ''),
  );
  assert.ok(bytes.equals(snappyUnframe(framed, ample)));
  assert.ok(Buffer.concat([bytes, bytes]).equals(snappyUnframe(Buffer.concat([framed, framed]), ample)));
  assert.ok(bytes.equals(snappyUnframe(snappyCompress(bytes), ample)));
});

test('of a gzip member what came out before an error is seen, and what follows it and is none is not', () => {
  const member = gzipSync(Buffer.alloc(40_000, 'Odradek '));
  const read = (bytes: Uint8Array): [size: number, error: string] => {
    let size = 0;
    try {
      for (const piece of gzipPieces(bytes, ample)) size += piece.length;
      return [size, ''];
    } catch (error) {
      assert.ok(error instanceof CompressionError);
      return [size, error.message];
    }
  };
  assert.deepEqual(read(member), [40_000, '']);
  const spoiled = Buffer.from(member);
  spoiled[member.length - 8]! ^= 1;
  assert.deepEqual(read(spoiled), [40_000, 'Corrupt GZIP trailer']);
  assert.deepEqual(read(member.subarray(0, -1)), [40_000, 'a truncated GZIP stream']);
  assert.deepEqual(read(Buffer.concat([member, Buffer.from('no member, and long enough to be one')])), [40_000, '']);
  assert.deepEqual(read(Buffer.concat([member, gzipSync('short')])), [40_005, '']);
  assert.deepEqual(read(Buffer.concat([spoiled, member])), [40_000, 'Corrupt GZIP trailer']);
  assert.deepEqual(read(Buffer.of(0x1f, 0x8b, 7, ...member.subarray(3))), [0, 'Unsupported compression method']);
});

test('a gzip header may have a name, a comment, more, and a checksum of its own', () => {
  const plain = gzipSync(Buffer.from('records'));
  const head = Buffer.concat([plain.subarray(0, 10), Buffer.from('\x03\0xtrname\0comment\0', 'latin1')]);
  head[3] = 2 | 4 | 8 | 16;
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc32(head) & 0xffff);
  const read = (bytes: Uint8Array): string =>
    Buffer.from(decompress('gzip', bytes, { magic: 2, sizeMax: 10 })).toString();
  assert.equal(read(Buffer.concat([head, checksum, plain.subarray(10)])), 'records');
  checksum[0]! ^= 1;
  assert.throws(() => read(Buffer.concat([head, checksum, plain.subarray(10)])), CompressionError);
  assert.throws(() => read(head), CompressionError);
});

test('less than a chunk behind the last one is no part of a Snappy stream, nor is half of a zstd frame’s head', () => {
  const bytes = Buffer.from('records');
  for (const more of ['00', '82534e', '82534e4150505900ff']) {
    const stream = Buffer.concat([snappyFrame(bytes), Buffer.from(more, 'hex')]);
    if (more.length < 8) assert.ok(bytes.equals(snappyUnframe(stream, ample)));
    else assert.throws(() => snappyUnframe(stream, ample), CompressionError);
  }
  const frame = zstdCompressSync(bytes);
  assert.ok(bytes.equals(Buffer.concat([...zstdPieces(Buffer.concat([frame, frame.subarray(0, 8)]), ample)])));
  assert.throws(() => [...zstdPieces(frame.subarray(0, 8), ample)], CompressionError);
  assert.deepEqual([...zstdPieces(Buffer.alloc(0), ample)], []);
});

test('zstd frames may follow each other', () => {
  const two = Buffer.concat([zstdCompressSync(Buffer.from('first ')), zstdCompressSync(Buffer.from('second'))]);
  assert.equal(Buffer.from(decompress('zstd', two, { magic: 2, sizeMax: 12 })).toString(), 'first second');
});

const piecesOf = { gzip: gzipPieces, zstd: zstdPieces };

test('gzip and zstd are read at once where the handle of a stream is not to be had', () => {
  const bytes = Buffer.alloc(300_000, 'Odradek rolls down the stairs. ');
  for (const codec of ['gzip', 'zstd'] as const) {
    const packed = compress(codec, bytes, { magic: 2 });
    const read = (sizeMax: number): Buffer => Buffer.concat([...piecesOf[codec](packed, sizeMax, () => ({}))]);
    assert.ok(bytes.equals(read(bytes.length)));
    assert.throws(() => read(bytes.length - 1), OversizeError);
    packed[packed.length - 1]! ^= 1;
    if (codec === 'gzip') assert.throws(() => read(bytes.length), CompressionError);
    const level = codec === 'gzip' ? 6 : 3;
    const whole = Buffer.concat(runToEnd(zlibPack(codec, slicesOf(bytes), level, () => ({}))));
    assert.ok(whole.equals(compress(codec, bytes, { magic: 2, level })));
  }
});

/** Both 1 MB; one that compresses well, one that hardly does. */
const repetitive = Buffer.alloc(1_000_000, 'Odradek rolls down the stairs. ');
const noisy = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, index) => Math.imul(index, 2_654_435_761) >>> 24));

for (const codec of codecs) {
  test(`${codec} in steps makes the same bytes as at once, and no step is long`, () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('short'), repetitive, noisy]) {
      for (const level of [undefined, 1]) {
        const want = compress(codec, bytes, { magic: 2, level });
        const cut = Math.floor(bytes.length / 3);
        const steps = packSteps(codec, slicesOf(bytes.subarray(0, cut), bytes.subarray(cut)), { magic: 2, level });
        assert.ok(Buffer.concat(runInSteps(steps, 65_536)).equals(want), `${bytes.length} bytes, level ${level}`);
        const back = runInSteps(unpackSteps(codec, want, { magic: 2, sizeMax: ample }), 65_536);
        assert.ok(bytes.equals(back), `${bytes.length} bytes back`);
      }
    }
  });

  test(`two ${codec} streams that are read in turns do not mix`, () => {
    const [one, other] = [repetitive, noisy].map((bytes) =>
      unpackSteps(codec, compress(codec, bytes, { magic: 2 }), { magic: 2, sizeMax: ample }),
    ) as [Steps<Uint8Array>, Steps<Uint8Array>];
    const results: Uint8Array[] = [];
    for (const turns = [one, other]; turns.length > 0; ) {
      const steps = turns.shift()!;
      const { done, value } = steps.next();
      if (done === true) results.push(value);
      else turns.push(steps);
    }
    assert.ok(results.some((bytes) => repetitive.equals(bytes)) && results.some((bytes) => noisy.equals(bytes)));
  });
}

test('a Snappy block that holds everything comes out in pieces', () => {
  const bytes = Buffer.concat([noisy, repetitive]);
  const pieces = [...snappyPieces(snappyCompress(bytes), 4 * ample)];
  assert.ok(bytes.equals(Buffer.concat(pieces)));
  assert.ok(pieces.length > 6 && pieces.every((piece) => piece.length < 300_000), `${pieces.length} pieces`);
});

/** The result, if no step goes over more than so many bytes. */
function runInSteps<T>(steps: Steps<T>, bytesMax: number): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    assert.ok(step.value <= bytesMax, `a step of ${step.value} bytes`);
  }
}

test('magic 0 has the LZ4 header checksum of KAFKA-3160, and does not check it', () => {
  const bytes = Buffer.from('some bytes');
  const broken = lz4Frame(bytes, { magic: 0 });
  const right = lz4Frame(bytes, { magic: 1 });
  assert.equal(Buffer.from(broken.subarray(0, 7)).toString('hex'), '04224d1860401a');
  assert.equal(Buffer.from(right.subarray(0, 7)).toString('hex'), '04224d18604082');
  for (const frame of [broken, right]) assert.ok(bytes.equals(lz4Unframe(frame, { magic: 0 }, ample)));
  assert.throws(() => lz4Unframe(broken, { magic: 1 }, ample), CompressionError);
});

const refusedFrames = [
  { name: 'dependent blocks', at: 4, value: 0x40 },
  { name: 'another version', at: 4, value: 0xa0 },
  { name: 'a reserved flag', at: 4, value: 0x61 },
  { name: 'an unknown block size', at: 5, value: 0x30 },
];
for (const { name, at, value } of refusedFrames) {
  test(`an LZ4 frame with ${name} is refused, as Apache refuses it`, () => {
    const frame = Uint8Array.from(lz4Frame(Buffer.from('x'), { magic: 0 }));
    frame[at] = value;
    assert.throws(() => lz4Unframe(frame, { magic: 0 }, ample), CompressionError);
  });
}

test('an LZ4 frame with a content size and block checksums is read, and a wrong checksum refused', () => {
  const block = Buffer.from('stored as it is');
  const head = Buffer.from('04224d18784000000000000000000000', 'hex').subarray(0, 15);
  head[14] = xxhash32(head.subarray(4, 14)) >> 8;
  const tail = Buffer.alloc(8 + block.length + 4);
  tail.writeUInt32LE((block.length | 0x80000000) >>> 0, 0);
  block.copy(tail, 4);
  tail.writeUInt32LE(xxhash32(block), 4 + block.length);
  const frame = Buffer.concat([head, tail]);
  assert.ok(block.equals(lz4Unframe(frame, { magic: 2 }, ample)));
  frame[20]! ^= 1;
  assert.throws(() => lz4Unframe(frame, { magic: 2 }, ample), CompressionError);
});

test('a small Snappy block that claims to be huge costs no memory', () => {
  const bomb = Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0);
  assert.throws(() => snappyUnframe(bomb, 2 ** 31), CompressionError);
});

test('xxHash32 gives the published values', () => {
  assert.equal(xxhash32(Buffer.alloc(0)), 0x02cc5d05);
  assert.equal(xxhash32(Buffer.from('abc')), 0x32d153ff);
  assert.equal(xxhash32(Buffer.from('Nobody inspects the spammish repetition')), 0xe2293b2f);
});
