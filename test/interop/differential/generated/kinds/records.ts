/** Record batches as producers might send them: right ones, old ones, and wrong ones. */
import { crc32c } from '../../../../../src/base/crc32c.ts';
import { copyOf, type Slices, slicesOf } from '../../../../../src/base/slices.ts';
import type { CodecName } from '../../../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../../../src/kafka/records/builder.ts';
import type { Draw } from '../kind.ts';
import type { Side } from '../side.ts';

export interface DrawnRecords {
  readonly magic: 0 | 1 | 2;
  readonly codec: CodecName;
  readonly records: readonly {
    readonly offset?: number;
    readonly key: string | null;
    readonly value: string | null;
    readonly timestamp: number;
    readonly headers: readonly (readonly [string, string | null])[];
  }[];
  /** Above 1: the records again and again, with long values, so that a small batch becomes megabytes. */
  readonly copies: number;
  readonly damage: Damage;
  readonly producer: { readonly label: string; readonly epoch: number; readonly sequence: number } | null;
}

const damages = [
  ...['none', 'crc', 'codec', 'offset', 'count', 'countUp', 'lastOffset', 'cut', 'twice', 'empty', 'control'],
  ...['transactional', 'appendTime', 'sequence', 'magic', 'compressedBytes', 'gap', 'trailing', 'epoch', 'huge'],
] as const;
type Damage = (typeof damages)[number];

/** Long ago, about now, and far ahead of any clock. */
const times = [1_700_000_000_000, 1_700_000_000_500, 1_699_999_990_000, 0, -1, 4_000_000_000_000];

export function drawRecords(draw: Draw, version: number): DrawnRecords {
  const magic = version >= 3 ? draw.pick([2, 2, 2, 2, 2, 2, 2, 2, 2, 1] as const) : draw.pick([0, 1, 1] as const);
  const codec = draw.pick(['none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const);
  const damage = draw.chance(0.7) ? 'none' : draw.pick(damages);
  const isLarge = codec !== 'none' && draw.chance(0.05);
  const isProducer = magic === 2 && draw.chance(0.35);
  const label = draw.pick(['p0', 'p1']);
  return {
    magic,
    codec: magic === 2 || codec !== 'zstd' ? codec : 'gzip',
    copies: isLarge ? LARGE_COPIES : 1,
    records: draw.some(draw.chance(0.1) && !isLarge ? 40 : 4, () => ({
      key: draw.chance(0.25) ? null : `k${draw.below(4)}`,
      value: draw.chance(0.1) ? null : 'v'.repeat(1 + draw.below(draw.chance(0.1) ? 900 : 60)),
      timestamp: magic === 0 ? -1 : draw.chance(0.75) ? times[0]! + draw.below(1000) : draw.pick(times),
      headers: magic === 2 && draw.chance(0.2) ? [['h', draw.chance(0.5) ? null : 'x']] : [],
    })),
    damage,
    producer: isProducer
      ? { label, epoch: draw.pick([0, 0, 0, 0, 1, -1]), sequence: draw.chance(0.8) ? draw.below(4) : draw.below(90) }
      : null,
  };
}

export function recordsFrom(drawn: DrawnRecords, side: Side): Slices {
  const { magic, codec, copies, damage, producer } = drawn;
  if (damage === 'empty') return slicesOf();
  const known = producer === null ? undefined : side.producers.get(producer.label);
  const bytes = Buffer.from(
    copyOf(
      buildBatch({
        magic,
        codec,
        ...(known === undefined || producer === null
          ? {}
          : {
              producerId: known.id,
              producerEpoch: producer.epoch < 0 ? -1 : known.epoch + producer.epoch,
              baseSequence: producer.sequence,
            }),
        records: repeated(drawn.records, copies).map(({ key, value, timestamp, headers }, index) => ({
          ...(damage === 'gap' ? { offset: 2 * index + 1 } : {}),
          key: key === null ? null : Buffer.from(key),
          value: value === null ? null : Buffer.from(value),
          timestamp,
          headers: headers.map(([name, text]) => ({ key: name, value: text === null ? null : Buffer.from(text) })),
        })),
      }),
    ),
  );
  return slicesOf(magic === 2 ? damagedBatch(bytes, damage) : damagedMessages(bytes, damage));
}

const LARGE_COPIES = 800;
const LARGE_VALUE = 1_500;

function repeated(records: DrawnRecords['records'], copies: number): DrawnRecords['records'] {
  if (copies === 1) return records;
  const long = records.map((record) => ({ ...record, value: record.value?.padEnd(LARGE_VALUE, 'v') ?? null }));
  return Array.from({ length: copies }, () => long).flat();
}

function damagedBatch(bytes: Buffer, damage: Damage): Buffer {
  const sealed = (): Buffer => {
    bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
    return bytes;
  };
  const withAttribute = (bit: number): Buffer => {
    bytes.writeInt16BE(bytes.readInt16BE(21) | bit, 21);
    return sealed();
  };
  switch (damage) {
    case 'crc':
      bytes.writeUInt32BE(1, 17);
      return bytes;
    case 'codec':
      return withAttribute(7);
    case 'offset':
      bytes.writeBigInt64BE(3n, 0);
      return bytes;
    case 'count':
      bytes.writeInt32BE(bytes.readInt32BE(57) - 1, 57);
      return sealed();
    case 'countUp':
      bytes.writeInt32BE(bytes.readInt32BE(57) + 1, 57);
      bytes.writeInt32BE(bytes.readInt32BE(23) + 1, 23);
      return sealed();
    case 'lastOffset':
      bytes.writeInt32BE(bytes.readInt32BE(23) + 2, 23);
      return sealed();
    case 'cut':
      return bytes.subarray(0, bytes.length - 3);
    case 'twice':
      return Buffer.concat([bytes, bytes]);
    case 'control':
      return withAttribute(0x20);
    case 'transactional':
      return withAttribute(0x10);
    case 'appendTime':
      return withAttribute(0x08);
    case 'sequence':
      bytes.writeInt32BE(-1, 53);
      return sealed();
    case 'epoch':
      bytes.writeInt32BE(77, 12);
      return bytes;
    case 'magic':
      bytes.writeInt8(3, 16);
      return bytes;
    case 'huge':
      bytes.writeInt32BE(0x7fffff00, 8);
      return bytes;
    case 'compressedBytes':
      bytes.fill(0x55, 61, 66);
      return sealed();
    case 'trailing':
      return Buffer.concat([bytes, Buffer.from('0102030405', 'hex')]);
    default:
      return bytes;
  }
}

/** Entries of magic 0 and 1 have a checksum over other bytes: what is changed here is outside it, or meant to be wrong. */
function damagedMessages(bytes: Buffer, damage: Damage): Buffer {
  switch (damage) {
    case 'crc':
      bytes.writeUInt32BE(1, 12);
      return bytes;
    case 'offset':
      bytes.writeBigInt64BE(3n, 0);
      return bytes;
    case 'cut':
      return bytes.subarray(0, bytes.length - 3);
    case 'twice':
      return Buffer.concat([bytes, bytes]);
    case 'huge':
      bytes.writeInt32BE(0x7fffff00, 8);
      return bytes;
    case 'trailing':
      return Buffer.concat([bytes, Buffer.from('0102030405', 'hex')]);
    default:
      return bytes;
  }
}
