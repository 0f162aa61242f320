import { crc32c } from '../../base/crc32c.ts';
import { CorruptionError } from '../../runtime/disk.ts';
import { codecFor } from '../../wire/codec.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { ProducerSnapshot } from '../protocol/records/log-files.ts';
import { newProducerEntry, type ProducerEntry } from './producer-entry.ts';

/*
 * A .snapshot file: 0 version i16 = 1 | 2 crc u32, CRC-32C of all that follows | 6 count i32 | entries of 46 bytes.
 * Of each producer only the last batch is kept: duplicates of earlier ones are not recognised after a restart.
 */
const VERSION = 1;
const VERSION_SIZE = 2;
const CRC_END = 6;

export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Uint8Array {
  const producerEntries = Array.from(entries, (entry) => {
    const last = entry.batches.at(-1);
    return {
      producerId: entry.producerId,
      epoch: entry.epoch,
      lastSequence: last?.lastSequence ?? -1,
      lastOffset: last?.lastOffset ?? -1,
      offsetDelta: last?.offsetDelta ?? 0,
      timestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnFirstOffset: entry.currentTxnFirstOffset,
    };
  });
  const writer = new Writer();
  writer.int16(VERSION);
  codecFor(ProducerSnapshot, VERSION).write(writer, { crc: 0, producerEntries });
  const bytes = writer.finishFlat();
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(VERSION_SIZE, crc32c(bytes.subarray(CRC_END)));
  return bytes;
}

/** @throws CorruptionError for anything that is not a whole snapshot of version 1 */
export function decodeProducerSnapshot(path: string, bytes: Uint8Array): ProducerEntry[] {
  try {
    const reader = new Reader(bytes);
    const version = reader.int16();
    if (version !== VERSION) {
      throw new CorruptionError(path, 0, `Snapshot contained an unknown file version ${version}`);
    }
    const snapshot = codecFor(ProducerSnapshot, VERSION).read(reader);
    if (snapshot.crc !== crc32c(bytes.subarray(CRC_END))) {
      throw new CorruptionError(path, VERSION_SIZE, 'Snapshot is corrupt (CRC is no longer valid)');
    }
    return snapshot.producerEntries.map((stored) => {
      const entry = newProducerEntry(stored.producerId);
      entry.epoch = stored.epoch;
      entry.coordinatorEpoch = stored.coordinatorEpoch;
      entry.lastTimestamp = stored.timestamp;
      entry.currentTxnFirstOffset = stored.currentTxnFirstOffset;
      const { lastSequence, lastOffset, offsetDelta, timestamp } = stored;
      if (lastOffset >= 0) entry.batches.push({ lastSequence, lastOffset, offsetDelta, timestamp });
      return entry;
    });
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new CorruptionError(path, 0, `Snapshot is torn: ${cause.message}`);
  }
}
