import { crc32c } from '../../src/base/crc32c.ts';
import { flatten } from '../../src/base/slices.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import type { ProducerEntry } from '../../src/kafka/log/producer-entry.ts';
import type { AbortedTransaction } from '../../src/kafka/log/transaction-index.ts';
import { type Batch, batchesOf } from '../../src/kafka/records/batch.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import { firstDataOf, type Learnt, type LogBook, learn } from './log-book.ts';
import { must } from './violation.ts';

/** What an opened log says of itself, and what its segment files hold. */
export interface LogPicture {
  readonly start: number;
  readonly end: number;
  /** Where segments begin. */
  readonly bases: readonly number[];
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly topicId: string | undefined;
  /** From the one that holds the start. */
  readonly batches: readonly Batch[];
  readonly epochs: PartitionLog['epochEntries'];
  readonly producers: readonly ProducerEntry[];
  readonly aborted: readonly AbortedTransaction[];
}

export function pictureOf({ disk }: SimMachine, log: PartitionLog): LogPicture {
  const { logStartOffset: start, logEndOffset: end, highWatermark, lastStableOffset, topicId } = log;
  const batches: Batch[] = [];
  for (const segment of log.segments) {
    let largest = -1;
    for (const batch of batchesOf(disk.peek(segment.path('.log')).subarray(0, segment.settledSize))) {
      largest = Math.max(largest, batch.header.maxTimestamp);
      if (batch.header.lastOffset >= start) batches.push(batch);
    }
    const { timestamp } = segment.maxTimestamp;
    must(timestamp === largest, () => `${segment.path('.timeindex')} ends at ${timestamp}, the log at ${largest}`);
  }
  const aborted = log.abortedBetween(start, end);
  const producers = [...log.producers.entries()];
  return {
    start,
    end,
    bases: log.segments.map(({ baseOffset }) => baseOffset),
    highWatermark,
    lastStableOffset,
    topicId,
    batches,
    epochs: log.epochEntries,
    producers,
    aborted,
  };
}

/** The same for the same state. After a clean stop a snapshot says of producers what no record says any more. */
export function textOf(picture: LogPicture, isClean: boolean): string {
  const { start, end, highWatermark, epochs, batches, producers, aborted } = picture;
  return [
    `${start} to ${end}, high watermark ${highWatermark}`,
    ...epochs
      .filter(({ startOffset }) => startOffset < end)
      .map(({ epoch, startOffset }) => `epoch ${epoch} ${startOffset}`),
    ...batches.map(({ header, bytes }) => `batch ${header.baseOffset} ${crc32c(flatten(bytes))}`),
    ...aborted.map(({ producerId, firstOffset, lastOffset }) => `aborted ${producerId} ${firstOffset} ${lastOffset}`),
    ...(isClean ? [] : producers.map((entry) => shown(entry, false)).sort()),
  ].join('; ');
}

/** What a log that was opened again says beside the epochs, producers and transactions that its book has. */
export function checkKnowledge(name: string, book: LogBook, picture: LogPicture): void {
  const { start, end } = picture;
  checkEpochs(name, book, picture);
  // Apache forgets neither at once when the beginning goes: a snapshot may know more than the records that are left, and a recovery
  // reads whole segments.
  const learnt = [0, ...picture.bases.filter((base) => base < start), start].map((from) =>
    learn(book.between(from, end)),
  );
  checkProducers(name, book, picture, learnt);
  checkAborted(name, book, picture, learnt);
  checkStableOffset(name, picture, learnt);
}

/** What begins at the end says nothing yet, and a file need not have it. */
function checkEpochs(name: string, book: LogBook, { start, end, epochs, batches }: LogPicture): void {
  const from = Math.max(start, book.start, book.epochsFrom);
  const known = clipped(epochs, from).filter(({ startOffset }) => startOffset < end);
  const due = clipped(book.epochs(end), from).filter(({ startOffset }) => startOffset < end);
  const text = () => `${name}: leader epochs are ${JSON.stringify(known)}, its records say ${JSON.stringify(due)}`;
  if (!book.isCompacted) return must(JSON.stringify(known) === JSON.stringify(due), text);
  // A copy of a compacted log knows an epoch from its first record that was left.
  for (const { epoch, startOffset } of due) {
    const found = known.find((entry) => entry.epoch === epoch);
    const first = batches.find(({ header }) => header.partitionLeaderEpoch === epoch)?.header.baseOffset;
    if (found === undefined) must(first === undefined, text);
    else must(found.startOffset >= startOffset && found.startOffset <= Math.max(from, first ?? end), text);
  }
  must(
    known.every(({ epoch }) => due.some((entry) => entry.epoch === epoch)),
    text,
  );
}

/** What is known from an offset on. */
function clipped(entries: LogPicture['epochs'], from: number): LogPicture['epochs'] {
  const floor = entries.findLast(({ startOffset }) => startOffset <= from);
  const later = entries.filter(({ startOffset }) => startOffset > from);
  return floor === undefined ? later : [{ ...floor, startOffset: from }, ...later];
}

function checkProducers(name: string, book: LogBook, picture: LogPicture, learnt: readonly Learnt[]): void {
  const text = (entry: ProducerEntry | undefined): string =>
    entry === undefined ? '-' : shown(entry, book.isCompacted);
  const found = new Map(picture.producers.map((entry) => [entry.producerId, entry]));
  for (const id of new Set([
    ...found.keys(),
    ...[...learnt[0]!.producers.entries()].map(({ producerId }) => producerId),
  ])) {
    const known = text(found.get(id));
    const expected = learnt.map(({ producers }) => text(producers.get(id)));
    must(
      expected.includes(known),
      () => `${name}: producer ${id} is ${known}, its records say ${expected.join(' or ')}`,
    );
  }
}

/** Of an entry that was read from a snapshot, only the last batch is known. Compaction changes what a batch says of times. */
function shown({ producerId, ...entry }: ProducerEntry, isCompacted: boolean): string {
  const last = entry.batches.at(-1);
  const state = `${producerId} epoch ${entry.epoch} transaction ${entry.currentTxnFirstOffset} sequence ${last?.lastSequence}`;
  if (isCompacted) return state;
  return `${state} offset ${last?.lastOffset} coordinator ${entry.coordinatorEpoch} at ${entry.lastTimestamp}`;
}

function checkAborted(name: string, book: LogBook, picture: LogPicture, learnt: readonly Learnt[]): void {
  const { start, aborted, batches } = picture;
  const key = (each: AbortedTransaction): string =>
    `${each.producerId} ${each.firstOffset}-${each.lastOffset} stable ${book.isCompacted ? '' : each.lastStableOffset}`;
  const known = aborted.map(key);
  const allowed = learnt
    .flatMap(({ completed }) => completed)
    .filter((each) => each.aborted)
    .map(key);
  for (const each of known) {
    must(allowed.includes(each), () => `${name}: ${each} is told to be aborted; its records say ${allowed.join(', ')}`);
  }
  for (const transaction of learnt[0]!.completed) {
    const { producerId, firstOffset, lastOffset } = transaction;
    if (!transaction.aborted || lastOffset < start) continue;
    const data = firstDataOf(transaction, batches);
    if (data === undefined) continue;
    const entry = aborted.find((each) => each.producerId === producerId && each.lastOffset === lastOffset);
    must(
      entry !== undefined && entry.firstOffset <= data.header.baseOffset,
      () =>
        `${name}: the index of transactions does not know that ${producerId} ${firstOffset}-${lastOffset} was aborted`,
    );
  }
}

function checkStableOffset(name: string, picture: LogPicture, learnt: readonly Learnt[]): void {
  const { start, highWatermark, lastStableOffset, producers } = picture;
  const open = producers.map((entry) => entry.currentTxnFirstOffset).filter((offset) => offset >= 0);
  const ended = learnt.flatMap(({ completed }) => completed).filter(({ lastOffset }) => lastOffset >= highWatermark);
  const bound = (offsets: readonly number[]): number => Math.min(highWatermark, Math.max(start, Math.min(...offsets)));
  const most = bound([...open, Infinity]);
  const least = bound([...open, ...ended.map(({ firstOffset }) => firstOffset), Infinity]);
  must(
    lastStableOffset >= least && lastStableOffset <= most,
    () => `${name}: the last stable offset is ${lastStableOffset}, its records say ${least} to ${most}`,
  );
}
