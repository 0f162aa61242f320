import { flatten } from '../../src/base/slices.ts';
import type { Batch } from '../../src/kafka/records/batch.ts';
import { recordsOf } from '../../src/kafka/records/iterate.ts';
import { firstDataOf, type LogBook, learn } from './log-book.ts';
import type { LogPicture } from './log-picture.ts';
import { must } from './violation.ts';

export type Ending = 'process' | 'power';

/** After a crash: the log is one of those that the book allows, byte by byte. */
export function checkContents(name: string, book: LogBook, picture: LogPicture, ending: Ending): void {
  checkBounds(name, book, picture, ending);
  const expected = book.between(picture.start, picture.end);
  if (book.isCompacted) checkCompacted(name, expected, picture);
  else checkRun(name, expected, picture);
}

function checkBounds(name: string, book: LogBook, picture: LogPicture, ending: Ending): void {
  const { start, end, highWatermark, topicId } = picture;
  must(
    topicId === book.topicId || (topicId === undefined && (ending === 'process' || book.endBelow(book.durable) === 0)),
    () => `${name} belongs to the topic ${topicId}, not to ${book.topicId}`,
  );
  const leastEnd = book.endBelow(ending === 'process' ? book.answered : book.durable);
  must(end >= leastEnd, () => `${name} ends at ${end}: the records from there to ${leastEnd} are lost`);
  const leastStart = ending === 'process' ? Math.max(book.durableStart, book.firstBase) : book.durableStart;
  must(start >= leastStart, () => `${name} begins at ${start}, below ${leastStart}, where it began before`);
  const mostStart = Math.max(book.start, book.anewAt ?? 0);
  must(start <= mostStart || isEmptyAnew(book, picture), () => `${name} begins at ${start}, beyond ${mostStart}`);
  const leastMark = Math.max(start, Math.min(book.durableHighWatermark, end));
  const mostMark = Math.max(start, Math.min(book.highWatermark, end));
  must(
    highWatermark >= leastMark && highWatermark <= mostMark,
    () => `${name} has the high watermark ${highWatermark}, which is not from ${leastMark} to ${mostMark}`,
  );
}

/** Between its old segments and its new one a log that begins anew has a part of the old ones. */
const isEmptyAnew = ({ anewAt }: LogBook, { end }: LogPicture): boolean => anewAt !== undefined && end <= anewAt;

function checkRun(name: string, expected: readonly Batch[], { start, end, batches }: LogPicture): void {
  let next = Math.min(start, batches[0]?.header.baseOffset ?? start);
  for (const [index, { header, bytes }] of batches.entries()) {
    const { baseOffset } = header;
    must(baseOffset === next, () => `${name} has a gap from ${next} to ${baseOffset}`);
    const due = expected[index];
    must(
      due !== undefined && Buffer.compare(flatten(due.bytes), flatten(bytes)) === 0,
      () => `${name} has something else at ${baseOffset} than what was appended`,
    );
    next = header.lastOffset + 1;
  }
  must(next === end, () => `${name} ends at ${end}, its records at ${next}`);
}

interface KeyedRecord {
  readonly offset: number;
  readonly key: string;
  readonly text: string;
}

/** What compaction must keep is there, in order, and nothing else than what was appended. */
function checkCompacted(name: string, expected: readonly Batch[], { batches }: LogPicture): void {
  const appended = dataIn(expected);
  const found = dataIn(batches);
  for (const [offset, { text }] of found) {
    must(appended.get(offset)?.text === text, () => `${name} has something else at ${offset} than what was appended`);
  }
  const offsets = batches.map(({ header }) => header.baseOffset);
  must(
    offsets.every((offset, index) => index === 0 || offset > offsets[index - 1]!),
    () => `${name} is not in order: ${offsets.join(', ')}`,
  );
  const last = new Map<string, number>();
  for (const { offset, key } of visible(expected, appended)) last.set(key, offset);
  for (const [key, offset] of last) {
    must(found.has(offset), () => `${name}: the last record of ${key}, at ${offset}, is lost`);
  }
  const markers = new Set(batches.filter(({ header }) => header.isControl).map(({ header }) => header.baseOffset));
  for (const transaction of learn(expected).completed) {
    const { lastOffset } = transaction;
    const hasData = firstDataOf(transaction, batches) !== undefined;
    must(!hasData || markers.has(lastOffset), () => `${name}: the marker at ${lastOffset} is lost`);
  }
}

function dataIn(batches: readonly Batch[]): Map<number, KeyedRecord> {
  const found = new Map<number, KeyedRecord>();
  for (const batch of batches) {
    if (batch.header.isControl) continue;
    for (const { offset, key, value, timestamp } of recordsOf(batch)) {
      const name = Buffer.from(key ?? []).toString();
      const text = `${timestamp} ${value === null ? '-' : Buffer.from(value).toString()}`;
      found.set(offset, { offset, key: name, text });
    }
  }
  return found;
}

/** Without the records of aborted transactions. */
function visible(batches: readonly Batch[], records: ReadonlyMap<number, KeyedRecord>): KeyedRecord[] {
  const aborted = learn(batches).completed.filter((each) => each.aborted);
  const isAborted = ({ header }: Batch): boolean =>
    header.isTransactional &&
    aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === header.producerId && firstOffset <= header.baseOffset && header.lastOffset < lastOffset,
    );
  const dead = batches.filter(isAborted).map(({ header }) => header);
  return [...records.values()].filter(
    ({ offset }) => !dead.some((header) => header.baseOffset <= offset && offset <= header.lastOffset),
  );
}
