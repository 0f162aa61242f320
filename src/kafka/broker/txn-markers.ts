import type { EndTxnMarker } from '../coordinator/coordinator-log.ts';
import { buildEndTxnMarker } from '../records/control.ts';
import type { Partition } from '../replication/partition.ts';

/** Appends the end of a transaction as its leader; `done` once every in-sync replica has it. */
export function appendMarker(
  partition: Partition,
  { transactionVersion, ...marker }: EndTxnMarker,
  nowMs: number,
  done: (errorCode: number) => void,
): void {
  partition.append({
    records: buildEndTxnMarker({ ...marker, timestampMs: nowMs }),
    acks: -1,
    origin: 'coordinator',
    rules: { markerVersion: transactionVersion },
    nowMs,
    done: ({ errorCode }) => done(errorCode),
  });
}
