import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { MalformedError } from '../../wire/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import { PacketSplitter } from './packet-splitter.ts';
import { encodePacket, PacketType, type QuorumPacket } from './quorum-packet.ts';

const SIZE_MAX = 1000;
const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** What a stream holds that comes in these pieces; copied, as its views may lie in one chunk. */
function packetsIn(chunks: readonly Uint8Array[], sizeMax = SIZE_MAX): QuorumPacket[] {
  const splitter = new PacketSplitter(sizeMax);
  const packets: QuorumPacket[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk, (packet) => {
      packets.push({ ...packet, data: packet.data === null ? null : Buffer.from(packet.data) });
      return true;
    });
  }
  assert.equal(splitter.isBetweenPackets, true);
  return packets;
}

const cases: readonly { readonly name: string; readonly hex: string; readonly packet: QuorumPacket }[] = [
  {
    name: 'an ACK',
    hex: '00000003 0000000100000002 ffffffff ffffffff',
    packet: { type: PacketType.ACK, zxid: 0x1_0000_0002n, data: null, authinfo: null },
  },
  {
    name: 'an answer to a PING without sessions',
    hex: '00000005 0000000100000002 00000000 ffffffff',
    packet: { type: PacketType.PING, zxid: 0x1_0000_0002n, data: bytes(''), authinfo: null },
  },
  {
    name: 'a REQUEST of a client with two identities',
    hex: `00000001 ffffffffffffffff 00000003 aabbcc 00000002
      00000002 6970 00000009 3132372e302e302e31 00000006 646967657374 00000001 61`.replaceAll(/\s/g, ''),
    packet: {
      type: PacketType.REQUEST,
      zxid: -1n,
      data: bytes('aabbcc'),
      authinfo: [
        { scheme: 'ip', id: '127.0.0.1' },
        { scheme: 'digest', id: 'a' },
      ],
    },
  },
  {
    name: 'a packet with an empty list of identities',
    hex: '00000001 ffffffffffffffff ffffffff 00000000',
    packet: { type: PacketType.REQUEST, zxid: -1n, data: null, authinfo: [] },
  },
];

for (const { name, hex, packet } of cases) {
  test(`${name} is written and read byte for byte`, () => {
    assert.equal(hexOf(encodePacket(packet)), hex.replaceAll(' ', ''));
    assert.deepEqual(packetsIn([bytes(hex)]), [packet]);
  });
}

const id = fc.record(
  { scheme: fc.string({ maxLength: 6 }), id: fc.string({ maxLength: 12 }) },
  { noNullPrototype: true },
);
const anyPacket: fc.Arbitrary<QuorumPacket> = fc.record(
  {
    type: fc.integer({ min: -1, max: 20 }),
    zxid: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) as fc.Arbitrary<Zxid>,
    data: fc.option(fc.uint8Array({ maxLength: 60 }).map((data) => Buffer.from(data))),
    authinfo: fc.option(fc.array(id, { maxLength: 3 })),
  },
  { noNullPrototype: true },
);

test('however a stream is cut, the packets are the same', () => {
  fc.assert(
    fc.property(fc.array(anyPacket, { maxLength: 8 }), fc.array(fc.nat()), (packets, cuts) => {
      const stream = Buffer.concat(packets.map(encodePacket));
      assert.deepEqual(packetsIn(pieces(stream, cuts)), packets);
      assert.deepEqual(packetsIn([...stream].map((byte) => Uint8Array.of(byte))), packets);
    }),
    { numRuns: 200 },
  );
});

test('data of a packet in one chunk is a view on it', () => {
  const chunk = Buffer.concat(cases.map(({ hex }) => bytes(hex)));
  new PacketSplitter(SIZE_MAX).push(chunk, ({ data }) => {
    if (data !== null) assert.equal(data.buffer, chunk.buffer);
    return true;
  });
});

test('who stops gets back what is behind the packet', () => {
  const stream = Buffer.concat([bytes(cases[0]!.hex), bytes('424557 61')]);
  const splitter = new PacketSplitter(SIZE_MAX);
  for (let cut = 0; cut < 20; cut += 1) {
    assert.equal(
      splitter.push(stream.subarray(0, cut), () => true),
      undefined,
    );
    const rest = splitter.push(stream.subarray(cut), () => false);
    assert.equal(hexOf(rest ?? bytes('')), '42455761');
    assert.equal(splitter.isBetweenPackets, true);
  }
  const [last] = cases;
  assert.equal(
    splitter.push(bytes(last?.hex ?? ''), () => false),
    undefined,
  );
});

const head = '00000003 0000000100000002';
const hostile = [
  { name: 'data of -2 bytes', hex: `${head} fffffffe` },
  { name: 'data above the limit', hex: `${head} 000003e9` },
  { name: '-2 ids', hex: `${head} ffffffff fffffffe` },
  { name: 'an id without a scheme', hex: `${head} ffffffff 00000001 ffffffff` },
  { name: 'a text above the limit', hex: `${head} ffffffff 00000001 000003e9` },
  { name: 'a text of 2 GB', hex: `${head} ffffffff 00000001 7fffffff` },
  {
    name: 'more ids than fit into the limit',
    hex: `${head} ffffffff 7fffffff ${'00000000 00000000'.repeat(126)}`,
  },
];
for (const { name, hex } of hostile) {
  test(`a packet with ${name} is refused as soon as that is known`, () => {
    assert.throws(() => packetsIn([bytes(hex)]), MalformedError);
  });
}

test('limits are those of one packet', () => {
  const packet = { type: 2, zxid: 5n as Zxid, data: Buffer.alloc(SIZE_MAX, 1), authinfo: null };
  assert.deepEqual(packetsIn([encodePacket(packet)]), [packet]);
  const withIds = bytes(cases[2]?.hex ?? '');
  assert.equal(packetsIn(new Array(100).fill(withIds)).length, 100);
});

test('bytes at random are packets or are refused, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.array(fc.nat()), (stream, cuts) => {
      const splitter = new PacketSplitter(SIZE_MAX);
      try {
        for (const chunk of pieces(stream, cuts)) splitter.push(chunk, () => true);
      } catch (error) {
        assert.ok(error instanceof MalformedError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

function pieces(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return at.slice(1).map((end, index) => stream.subarray(at[index], end));
}
