import { type Slices, slicesOf } from '../../base/slices.ts';
import type { BatchHeader } from '../records/batch.ts';
import { readControlRecord } from '../records/control.ts';
import type { CompletedTransaction, ProducerState } from './producer-state.ts';
import type { SegmentList } from './segment-list.ts';

/** Batches between two pauses. */
const BATCHES_AT_ONCE = 1024;

/** What a batch that stands in the log says of its producer. `bytes` is asked only for markers. */
export function learnFrom(
  state: ProducerState,
  header: BatchHeader,
  bytes: () => Slices,
): CompletedTransaction | undefined {
  if (header.producerId < 0) return undefined;
  if (!header.isControl) {
    state.update(header);
    return undefined;
  }
  const marker = readControlRecord({ header, bytes: bytes() });
  return marker.kind === 'endTxn' ? state.endTransaction(header, marker) : undefined;
}

/** Learns from every batch in [from, to). */
export function* replayProducers(
  state: ProducerState,
  segments: SegmentList,
  from: number,
  to: number,
): Generator<void, void> {
  let count = 0;
  for (const segment of segments.between(from, to)) {
    const start = segment.baseOffset >= from ? 0 : segment.find(from)?.position;
    if (start === undefined) continue;
    const walk = segment.walk(start);
    for (let header = walk.next(); header !== undefined && header.lastOffset < to; header = walk.next()) {
      learnFrom(state, header, () => slicesOf(walk.bytes()));
      count += 1;
      if (count % BATCHES_AT_ONCE === 0) yield;
    }
  }
}

/** All of it now. */
export function runAtOnce<T>(steps: Generator<void, T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}
