import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Slices } from '../../../src/base/slices.ts';
import { type Batch, batchesOf, hasValidCrc, lastSequenceOf } from '../../../src/kafka/records/batch.ts';
import { type LogRecord, recordsOf } from '../../../src/kafka/records/iterate.ts';

export function captured<T>(file: string): T[] {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T[];
}

/** Long values stand in the files as their hash. */
function hexOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const hex = Buffer.from(bytes).toString('hex');
  return bytes.length <= 200 ? hex : `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function describeRecord({ offset, timestamp, key, value, headers }: LogRecord) {
  return {
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key).toString('hex'),
    value: hexOf(value),
    headers: headers.map((header) => ({ key: header.key, value: hexOf(header.value) })),
  };
}

function describeBatch(batch: Batch): Record<string, unknown> {
  const { header } = batch;
  return {
    ...header,
    crcValid: hasValidCrc(batch),
    lastSequence: lastSequenceOf(header),
    records: [...recordsOf(batch)].map(describeRecord),
  };
}

/** Everything that a list of batches says, for comparison. */
export function describe(source: Slices | Uint8Array): Record<string, unknown>[] {
  return [...batchesOf(source)].map(describeBatch);
}

/** Without what another compressor makes different. */
export function describeContent(source: Slices | Uint8Array): unknown[] {
  return describe(source).map(({ sizeInBytes: _size, crc: _crc, ...content }) => content);
}
