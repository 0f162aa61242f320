import type { Slices } from '../../base/slices.ts';
import { Writer } from '../../wire/writer.ts';
import { EndTxnMarker, LeaderChangeMessage } from '../protocol/records/control-records.ts';
import { readVersionedOrNewer, writeVersioned } from '../protocol/records/versioned.ts';
import type { Batch } from './batch.ts';
import { buildBatch } from './builder.ts';
import { InvalidRecordError } from './errors.ts';
import { recordsOf } from './iterate.ts';

/*
 * A control batch holds one record that consumers never see:   key: version i16 = 0, type i16 | value: version i16, …
 */
export const controlTypes = { abort: 0, commit: 1, leaderChange: 2 } as const;
const KEY_VERSION = 0;
const KEY_SIZE = 4;

export interface EndTxnMarkerOptions {
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timestampMs: number;
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
}

/** What the transaction coordinator has written into each partition of a transaction when it ends (KIP-98). */
export function buildEndTxnMarker(options: EndTxnMarkerOptions): Slices {
  const {
    committed,
    coordinatorEpoch,
    producerId,
    producerEpoch,
    timestampMs,
    baseOffset = 0,
    leaderEpoch = -1,
  } = options;
  const key = controlKey(committed ? controlTypes.commit : controlTypes.abort);
  const value = writeVersioned(EndTxnMarker, 0, { coordinatorEpoch });
  const records = [{ timestamp: timestampMs, key, value }];
  return buildBatch({
    records,
    baseOffset,
    leaderEpoch,
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true,
  });
}

export interface LeaderChangeOptions {
  readonly message: LeaderChangeMessage;
  readonly timestampMs: number;
  readonly baseOffset: number;
  readonly leaderEpoch: number;
}

/** KRaft's first record of an epoch; a ZooKeeper-mode broker only reads it. */
export function buildLeaderChange({ message, timestampMs, baseOffset, leaderEpoch }: LeaderChangeOptions): Slices {
  const codecVersion = message.version;
  const value = withoutFrame(writeVersioned(LeaderChangeMessage, codecVersion, message));
  const records = [{ timestamp: timestampMs, key: controlKey(controlTypes.leaderChange), value }];
  return buildBatch({ records, baseOffset, leaderEpoch, isControl: true });
}

/** The message's first field is its version: what frames the other versioned values stands inside this one. */
function withoutFrame(versioned: Uint8Array): Uint8Array {
  return versioned.subarray(2);
}

function controlKey(type: number): Uint8Array {
  const writer = new Writer(KEY_SIZE);
  writer.int16(KEY_VERSION);
  writer.int16(type);
  return writer.finishFlat();
}

export type ControlRecord =
  | { readonly kind: 'endTxn'; readonly committed: boolean; readonly coordinatorEpoch: number }
  | { readonly kind: 'other'; readonly type: number }
  /** Compaction has removed the record, and all of the transaction before. */
  | { readonly kind: 'cleaned' };

/** The record of a control batch. */
export function readControlRecord(batch: Batch): ControlRecord {
  if (batch.header.recordCount === 0) return { kind: 'cleaned' };
  for (const { key, value } of recordsOf(batch)) {
    if (key === null || key.length < KEY_SIZE) throw new InvalidRecordError('a control record without its key');
    const type = (key[2]! << 8) | key[3]!;
    if (type !== controlTypes.abort && type !== controlTypes.commit) return { kind: 'other', type };
    if (value === null || value.length < 6) throw new InvalidRecordError('an end-transaction marker without its value');
    const { coordinatorEpoch } = readVersionedOrNewer(EndTxnMarker, value);
    return { kind: 'endTxn', committed: type === controlTypes.commit, coordinatorEpoch };
  }
  throw new InvalidRecordError('a control batch without a record');
}
