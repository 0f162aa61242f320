/** Answers without what two right brokers may call differently: ids, times, addresses, the names of a run, compressed bytes. */
import { isDeepStrictEqual } from 'node:util';
import { flatten, type Slices } from '../../../../src/base/slices.ts';
import { type Batch, batchesOf } from '../../../../src/kafka/records/batch.ts';
import { recordsOf } from '../../../../src/kafka/records/iterate.ts';
import { normalise } from '../normalise.ts';
import type { Answer } from '../raw-client.ts';
import type { NoAnswer, Side } from './side.ts';

/** Lists of everything there is: what other runs made is none of this one's. */
const listings: ReadonlySet<string> = new Set(['topics', 'groups', 'transactionStates']);
const nameKeys = ['name', 'topic', 'groupId', 'transactionalId'] as const;

export function neutral(answer: Answer | NoAnswer | null, side: Side): unknown {
  if (typeof answer === 'string' || answer === null) return answer;
  const named = JSON.stringify(normalise(describeAll(answer, '', side))).replaceAll(side.prefix, '~');
  // What a broker's clock gives, alone or in a message, and the bounds that Apache computes of it.
  return JSON.parse(named.replaceAll(/-?\d{13,19}/g, (digits) => (isNow(digits) ? '0' : digits))) as unknown;
}

function describeAll(value: unknown, key: string, side: Side): unknown {
  if (value instanceof Uint8Array) return value;
  if (isSlices(value)) return describeRecords(value);
  // Two compressors do not write the same.
  if (key === 'partitionSize') return Number(value) > 0;
  if (Array.isArray(value)) {
    const own = listings.has(key) ? value.filter((item) => isOwn(item, side)) : value;
    return own.map((item) => describeAll(item, key, side));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, describeAll(item, name, side)]));
}

function isOwn(item: unknown, { prefix }: Side): boolean {
  if (typeof item !== 'object' || item === null) return true;
  const fields = item as Readonly<Record<string, unknown>>;
  const names = nameKeys.map((key) => fields[key]).filter((name) => typeof name === 'string' && name !== '');
  return names.every((name) => (name as string).startsWith(prefix));
}

function isSlices(value: unknown): value is Slices {
  return typeof value === 'object' && value !== null && 'chunks' in value && 'size' in value;
}

/** A batch that is cut off at the end is left out: whether it is sent at all is a broker's own affair. */
function describeRecords(records: Slices): unknown {
  return [...batchesOf(records)].map(describeBatch);
}

const RECENT_MS = 3_600_000;

/** Now, or the largest int64 away from it. */
function isNow(digits: string): boolean {
  const largest = 2n ** 63n - 1n;
  return [0n, largest, -largest].some((away) => {
    const distance = Number(BigInt.asIntN(64, BigInt(digits) - away)) - Date.now();
    return Math.abs(distance) < RECENT_MS;
  });
}

function describeBatch(batch: Batch): unknown {
  const { header, bytes } = batch;
  const isOwnTime = header.timestampType === 'LogAppendTime';
  // What nobody had to write anew is the same to the last bit.
  if (header.codec === 'none' && !isOwnTime && !header.hasDeleteHorizon && header.producerId < 0) {
    return Buffer.from(flatten(bytes)).toString('hex');
  }
  const { crc: _, sizeInBytes, producerId, maxTimestamp, baseTimestamp, ...same } = header;
  return {
    ...same,
    // A cleaner keeps there when deletions may go, which it counts from its own pass.
    baseTimestamp: header.hasDeleteHorizon ? 'horizon' : baseTimestamp,
    sizeInBytes: header.codec === 'none' ? sizeInBytes : 0,
    hasProducer: producerId >= 0,
    maxTimestamp: timeOf(maxTimestamp, isOwnTime),
    records: [...recordsOf(batch)].map(({ timestamp, key, value, ...record }) => ({
      ...record,
      timestamp: timeOf(timestamp, isOwnTime),
      key: key === null ? null : Buffer.from(key).toString('hex'),
      value: value === null ? null : Buffer.from(value).toString('hex'),
      headers: record.headers.map((one) => [
        one.key,
        one.value === null ? null : Buffer.from(one.value).toString('hex'),
      ]),
    })),
  };
}

function timeOf(timestamp: number, isOwnTime: boolean): number | 'now' {
  return isOwnTime && Math.abs(Date.now() - timestamp) < RECENT_MS ? 'now' : timestamp;
}

/**
 * Whether two answers differ at most in how many batches of a partition they have, where some are compressed: a broker that compresses
 * anew does not get the same size as another, so that not as many fit into a limit.
 */
export function differInCount(theirs: unknown, ours: unknown): boolean {
  if (isDeepStrictEqual(theirs, ours)) return true;
  if (typeof theirs !== 'object' || typeof ours !== 'object' || theirs === null || ours === null) return false;
  if (Array.isArray(theirs) !== Array.isArray(ours)) return false;
  const keys = Object.keys(theirs);
  if (keys.length !== Object.keys(ours).length) return isSameBeginning(theirs, ours);
  const [one, other] = [theirs, ours] as readonly [
    Readonly<Record<string, unknown>>,
    Readonly<Record<string, unknown>>,
  ];
  return keys.every((key) => Object.hasOwn(other, key) && differInCount(one[key], other[key]));
}

function isSameBeginning(theirs: object, ours: object): boolean {
  if (!Array.isArray(theirs) || !Array.isArray(ours)) return false;
  const length = Math.min(theirs.length, ours.length);
  const longer: unknown[] = theirs.length > ours.length ? theirs : ours;
  return (
    length > 0 && longer.some(isCompressedBatch) && isDeepStrictEqual(theirs.slice(0, length), ours.slice(0, length))
  );
}

function isCompressedBatch(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'codec' in item && item.codec !== 'none';
}
