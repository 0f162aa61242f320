import { adler32 } from '../../base/adler32.ts';
import { CorruptionError, type File } from '../../runtime/disk.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { readTxnRecord, type TxnRecord } from '../jute/txn.ts';
import { RawLog } from './raw-log.ts';
import { END_OF_RECORD, ENTRY_HEADER_BYTES, LOG_HEADER_BYTES, RECORD_BYTES_MAX } from './txn-log-format.ts';
import { TxnLogReader } from './txn-log-reader.ts';

/** What a log holds, in the order of the file. */
export type Salvaged =
  | { readonly kind: 'txn'; readonly record: TxnRecord; readonly position: number }
  /** Its checksum is wrong, but it can be read: only what it says of itself can tell whether it is right. */
  | { readonly kind: 'doubtful'; readonly record: TxnRecord; readonly position: number }
  | { readonly kind: 'damage'; readonly position: number; readonly what: string }
  /** A write that a crash cut. */
  | { readonly kind: 'torn'; readonly position: number }
  | { readonly kind: 'end'; readonly position: number };

/** The shortest transaction: a header. */
const RECORD_BYTES_MIN = 32;
const SEARCH_BYTES = 1 << 20;

/**
 * Everything in a log that is whole, beyond damage too. What is damage and what a torn end, the reader decides that recovery
 * uses; behind damage entries are found again by their checksums. Values are valid until the next one.
 */
export function* salvageLog(file: File): Generator<Salvaged, void> {
  try {
    const reader = new TxnLogReader(file);
    for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
      yield { kind: 'txn', record: entry, position: entry.position };
    }
    yield { kind: reader.end === 'torn' ? 'torn' : 'end', position: reader.position };
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    yield { kind: 'damage', position: error.position, what: error.message.replace(/^.* at byte \d+: /, '') };
    yield* salvageFrom(file, Math.max(error.position, LOG_HEADER_BYTES));
  }
}

function* salvageFrom(file: File, from: number): Generator<Salvaged, void> {
  for (let position = from; ; ) {
    const log = new RawLog(file, position);
    const step = log.next();
    if (step.kind === 'entry' && step.entry.endMark === END_OF_RECORD) {
      const { bytes, writtenChecksum } = step.entry;
      const record = parse(bytes);
      const isRight = writtenChecksum === BigInt(adler32(bytes));
      if (record !== undefined) yield { kind: isRight ? 'txn' : 'doubtful', record, position };
      else yield { kind: 'damage', position, what: 'no transaction' };
      position = log.position;
      continue;
    }
    const next = findEntry(file, position + 1);
    if (next === undefined) {
      yield { kind: 'end', position };
      return;
    }
    if (step.kind !== 'end') yield { kind: 'damage', position, what: 'no entry' };
    position = next;
  }
}

function parse(bytes: Uint8Array): TxnRecord | undefined {
  try {
    return readTxnRecord(new Reader(bytes));
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** The next place with an entry whose checksum is right. Each entry begins behind the end mark of another. */
function findEntry(file: File, from: number): number | undefined {
  for (let start = from; start < file.size; start += SEARCH_BYTES) {
    const bytes = Buffer.from(file.readAt(start, SEARCH_BYTES));
    for (let at = bytes.indexOf(END_OF_RECORD); at >= 0; at = bytes.indexOf(END_OF_RECORD, at + 1)) {
      if (isEntry(file, start + at + 1)) return start + at + 1;
    }
  }
  return undefined;
}

function isEntry(file: File, position: number): boolean {
  const head = Buffer.from(file.readAt(position, ENTRY_HEADER_BYTES));
  if (head.length < ENTRY_HEADER_BYTES || head.readUInt32BE(0) !== 0) return false;
  const length = head.readInt32BE(8);
  if (length < RECORD_BYTES_MIN || length > RECORD_BYTES_MAX) return false;
  const rest = file.readAt(position + ENTRY_HEADER_BYTES, length + 1);
  if (rest.length <= length || rest[length] !== END_OF_RECORD) return false;
  return adler32(rest.subarray(0, length)) === head.readUInt32BE(4);
}
