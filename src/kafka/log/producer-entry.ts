import { type BatchHeader, lastSequenceOf, NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../records/batch.ts';

/** What is remembered of a batch, so that its repetition is recognised. */
export interface BatchMetadata {
  readonly lastSequence: number;
  readonly lastOffset: number;
  /** Last offset less first offset. */
  readonly offsetDelta: number;
  readonly timestamp: number;
}

/** One producer id in one partition. */
export interface ProducerEntry {
  readonly producerId: number;
  epoch: number;
  /** Of the transaction coordinator that wrote the last marker; -1 unknown. */
  coordinatorEpoch: number;
  lastTimestamp: number;
  /** -1 when no transaction is open. */
  currentTxnFirstOffset: number;
  /** The last five, oldest first: as many as a producer may have in flight. */
  readonly batches: BatchMetadata[];
}

const BATCHES_KEPT = 5;
const SEQUENCE_MAX = 2_147_483_647;

export function newProducerEntry(producerId: number): ProducerEntry {
  return {
    producerId,
    epoch: NO_PRODUCER_EPOCH,
    coordinatorEpoch: -1,
    lastTimestamp: -1,
    currentTxnFirstOffset: -1,
    batches: [],
  };
}

export function lastSequenceIn(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE;
}

/** Sequences wrap from 2^31-1 to 0. */
export function firstSequenceIn({ lastSequence, offsetDelta }: BatchMetadata): number {
  const first = lastSequence - offsetDelta;
  return first >= 0 ? first : first + SEQUENCE_MAX + 1;
}

export function follows(lastSequence: number, nextSequence: number): boolean {
  return nextSequence === lastSequence + 1 || (nextSequence === 0 && lastSequence === SEQUENCE_MAX);
}

/** The remembered batch of which this one is a repetition. */
export function duplicateOf(entry: ProducerEntry, header: BatchHeader): BatchMetadata | undefined {
  if (header.producerEpoch !== entry.epoch) return undefined;
  const lastSequence = lastSequenceOf(header);
  return entry.batches.find(
    (batch) => batch.lastSequence === lastSequence && firstSequenceIn(batch) === header.baseSequence,
  );
}

export function remember(entry: ProducerEntry, header: BatchHeader): void {
  entry.batches.push({
    lastSequence: lastSequenceOf(header),
    lastOffset: header.lastOffset,
    offsetDelta: header.lastOffset - header.baseOffset,
    timestamp: header.maxTimestamp,
  });
  if (entry.batches.length > BATCHES_KEPT) entry.batches.shift();
}

/** Another epoch starts another sequence: what was remembered says nothing about it. */
export function adoptEpoch(entry: ProducerEntry, epoch: number): void {
  if (entry.epoch === epoch) return;
  entry.epoch = epoch;
  entry.batches.length = 0;
}
