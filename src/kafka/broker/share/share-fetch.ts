import { present } from '../../../base/assert.ts';
import { concatSlices, noSlices, type Slices } from '../../../base/slices.ts';
import type { BufferPool } from '../../../runtime/buffer-pool.ts';
import type { Purgatory } from '../../../runtime/purgatory.ts';
import { type LogRead, releaseRead } from '../../log/read.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { batchesOf } from '../../records/batch.ts';
import type { Isolation, Partition } from '../../replication/partition.ts';
import type { AcquiredRecords } from '../../share/acquire.ts';
import type { SharePartition } from '../../share/share-partition.ts';
import type { ShareTarget } from '../../share/share-sessions.ts';
import { abortedRuns } from './aborted-runs.ts';

/** What a member gets of one partition. */
export interface SharedRecords {
  readonly target: ShareTarget;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly records: Slices;
  readonly acquired: readonly AcquiredRecords[];
}

export interface ShareFetchOptions {
  readonly memberId: string;
  readonly targets: readonly { readonly target: ShareTarget; readonly share: SharePartition | KafkaError }[];
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly batchSize: number;
  readonly isStrict: boolean;
  readonly isolation: Isolation;
  readonly purgatory: Purgatory<Partition>;
  readonly buffers: BufferPool;
  readonly isClosed: () => boolean;
  /** `sent` gives back the memory that the records lie in. */
  readonly done: (found: readonly SharedRecords[], sent: (() => void) | undefined) => void;
}

interface Reading {
  readonly target: ShareTarget;
  readonly share: SharePartition;
  readonly fetchOffset: number;
  readonly read: LogRead;
  records: Slices;
}

/** One share fetch: waits until there is something to acquire, reads it, acquires it (`DelayedShareFetch`). */
export class ShareFetch {
  readonly #options: ShareFetchOptions;
  readonly #errors: SharedRecords[] = [];

  constructor(options: ShareFetchOptions) {
    this.#options = options;
  }

  start(): void {
    const { maxWaitMs, purgatory, targets } = this.#options;
    if (this.#tryComplete(maxWaitMs <= 0)) return;
    const watched = targets.flatMap(({ share }) => (share instanceof KafkaError ? [] : [share.partition]));
    purgatory.watch(
      { tryComplete: () => this.#tryComplete(false), expire: () => void this.#tryComplete(true) },
      watched,
      maxWaitMs,
    );
  }

  #tryComplete(isLate: boolean): boolean {
    if (this.#options.isClosed()) return true;
    this.#errors.length = 0;
    const readings = this.#readAll();
    const bytes = readings.reduce((sum, { read }) => sum + read.sizeInBytes, 0);
    const isEnough = bytes > 0 && bytes >= Math.min(this.#options.minBytes, this.#options.maxBytes);
    if (!isLate && !isEnough && this.#errors.length === 0) {
      for (const { share, read } of readings) {
        share.unlock();
        releaseRead(read);
      }
      return false;
    }
    this.#load(readings);
    return true;
  }

  /** Each partition gets the same part of the bytes. Those that another fetch reads are left to it. */
  #readAll(): Reading[] {
    const shares: { target: ShareTarget; share: SharePartition }[] = [];
    for (const { target, share } of this.#options.targets) {
      if (share instanceof KafkaError) this.#fail(target, share);
      else if (share.isFenced) this.#fail(target, new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER));
      else if (share.mayAcquire) shares.push({ target, share });
    }
    const partBytes = Math.floor(this.#options.maxBytes / Math.max(1, shares.length));
    let minOneMessage = true;
    return shares.flatMap(({ target, share }) => {
      const reading = this.#readOne(target, share, { maxBytes: partBytes, minOneMessage });
      if (reading === undefined) return [];
      if (reading.read.sizeInBytes > 0) minOneMessage = false;
      share.lock();
      return [reading];
    });
  }

  #readOne(
    target: ShareTarget,
    share: SharePartition,
    limits: { readonly maxBytes: number; readonly minOneMessage: boolean },
  ): Reading | undefined {
    try {
      const log = share.partition.leaderLog();
      const upTo = share.partition.limitOf(this.#options.isolation, log);
      let fetchOffset = share.records.nextFetchOffset;
      if (fetchOffset < log.logStartOffset) {
        share.records.logStartMoved(log.logStartOffset);
        fetchOffset = share.records.nextFetchOffset;
      }
      // A leader that lost its end may be behind what the group has seen: it catches up.
      if (fetchOffset > log.logEndOffset) return undefined;
      const read = log.read(fetchOffset, { ...limits, upTo });
      if (read.sizeInBytes === 0 || read.firstEntryIncomplete) {
        releaseRead(read);
        return undefined;
      }
      return { target, share, fetchOffset, read, records: read.kind === 'memory' ? read.records : noSlices };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#fail(target, error);
      return undefined;
    }
  }

  #fail(target: ShareTarget, error: KafkaError): void {
    const { code: errorCode, message: errorMessage } = error;
    this.#errors.push({ target, errorCode, errorMessage, records: noSlices, acquired: [] });
  }

  #load(readings: readonly Reading[]): void {
    const release = (): void => {
      for (const { read } of readings) releaseRead(read);
    };
    const files = readings.flatMap((reading) =>
      reading.read.kind === 'file' ? [{ reading, read: reading.read }] : [],
    );
    if (files.length === 0) return this.#acquireAll(readings, release);
    const loan = this.#options.buffers.lend(files.map(({ read }) => read.sizeInBytes));
    let pending = files.length;
    files.forEach(({ reading, read }, index) => {
      read.load(present(loan.buffers[index], 'memory for each read'), (error, records) => {
        if (error === undefined) reading.records = records;
        else this.#fail(reading.target, error);
        pending -= 1;
        if (pending > 0) return;
        this.#acquireAll(readings, () => {
          release();
          loan.giveBack();
        });
      });
    });
  }

  #acquireAll(readings: readonly Reading[], sent: () => void): void {
    let left = this.#options.maxRecords;
    const found: SharedRecords[] = [];
    for (const reading of readings) {
      const acquired = this.#options.isClosed() ? [] : this.#acquire(reading, left);
      for (const { firstOffset, lastOffset } of acquired) left -= lastOffset - firstOffset + 1;
      const records = sliceOf(reading.records, acquired);
      const { target } = reading;
      found.push({ target, errorCode: ErrorCode.NONE, errorMessage: null, records, acquired });
    }
    for (const { share } of readings) share.unlock();
    const failed = new Set(this.#errors.map(({ target }) => target));
    this.#options.done([...found.filter(({ target }) => !failed.has(target)), ...this.#errors], sent);
    // What this fetch left is for others.
    for (const { share } of readings) this.#options.purgatory.check(share.partition);
  }

  #acquire({ share, fetchOffset, records }: Reading, maxRecords: number): readonly AcquiredRecords[] {
    if (records.size === 0 || maxRecords <= 0 || !share.isActive) return [];
    const { memberId, batchSize, isStrict, isolation } = this.#options;
    const batches = [...batchesOf(records)].map(({ header }) => header);
    const hidden = isolation === 'committed' ? abortedRuns(share.partition, fetchOffset, records) : [];
    return share.acquire({ memberId, fetchOffset, batches, maxRecords, batchSize, isStrict, hidden });
  }
}

/** Only the batches that hold acquired records, and what lies between them. */
function sliceOf(records: Slices, acquired: readonly AcquiredRecords[]): Slices {
  const first = acquired[0]?.firstOffset;
  const last = acquired.at(-1)?.lastOffset;
  if (first === undefined || last === undefined) return noSlices;
  const kept = [...batchesOf(records)].filter(({ header }) => header.lastOffset >= first && header.baseOffset <= last);
  return concatSlices(kept.map(({ bytes }) => bytes));
}
