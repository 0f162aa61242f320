import type { Clock, Timer } from '../../runtime/clock.ts';
import type { DiskError } from '../../runtime/disk.ts';
import type { Zxid } from '../jute/ids.ts';

/** The transaction log as this needs it. */
export interface ProposalLog {
  /** Durable once a later `flush` is done. */
  append(zxid: Zxid, bytes: Uint8Array): void;
  /** Calls once everything appended so far is durable; at once if there is nothing to wait for. */
  flush(done: (error?: DiskError) => void): void;
}

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly log: ProposalLog;
  /** `flushDelay`: how long transactions gather at least, 0 for no longer than the poll that brought them. */
  readonly flushDelayMs: number;
  /** `maxBatchSize`: so many do not wait for more. */
  readonly maxBatchSize: number;
  /** Everything up to this is on the disk. */
  readonly durable: (zxid: Zxid) => void;
  readonly failed: (error: DiskError) => void;
  readonly figures?: LogFigures;
}

/** Hears of every sync. */
export interface LogFigures {
  /** One begins, of so many transactions. */
  syncing(count: number): void;
  synced(tookMs: number): void;
}

/**
 * What a member of an ensemble logs before it acknowledges (SyncRequestProcessor). One sync is in flight; what arrives meanwhile is
 * the next group. After a failed write or sync nothing is acknowledged any more.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #appended: Zxid | undefined;
  #gatheredCount = 0;
  #isSyncing = false;
  #isScheduled = false;
  #timer: Timer | undefined;
  /** Appended and not yet in the log: something else has to be on the disk first. */
  #held: { readonly zxid: Zxid; readonly bytes: Uint8Array }[] | undefined;
  #released: Promise<void> = Promise.resolve();
  #isClosed = false;
  #hasFailed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  append(zxid: Zxid, bytes: Uint8Array): void {
    if (this.#isClosed || this.#hasFailed) return;
    if (this.#held !== undefined) this.#held.push({ zxid, bytes });
    else this.#append(zxid, bytes);
  }

  /** What is appended from now on goes into the log after `first`, which never rejects: it must not be on the disk before that is. */
  holdUntil(first: Promise<void>): void {
    this.#held ??= [];
    const released = Promise.all([this.#released, first]).then(() => {
      if (this.#released === released) this.#release();
    });
    this.#released = released;
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { zxid, bytes } of held) if (!this.#hasFailed) this.#append(zxid, bytes);
  }

  #append(zxid: Zxid, bytes: Uint8Array): void {
    this.#options.log.append(zxid, bytes);
    this.#appended = zxid;
    this.#gatheredCount += 1;
    if (this.#isSyncing || this.#isClosed) return;
    if (this.#gatheredCount >= this.#options.maxBatchSize) this.#sync();
    else this.#schedule();
  }

  /** Takes and acknowledges no more. Resolves when all that was appended is on the disk, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#held !== undefined) await this.#released;
    return new Promise((resolve) => {
      this.#options.log.flush((error) => {
        if (error !== undefined) this.#fail(error);
        resolve();
      });
    });
  }

  /** What the other sockets of this poll bring joins the group. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const { clock, flushDelayMs } = this.#options;
    const run = (): void => {
      this.#isScheduled = false;
      if (!this.#isSyncing && !this.#isClosed) this.#sync();
    };
    if (flushDelayMs > 0) this.#timer = clock.after(flushDelayMs, run);
    else clock.soon(run);
  }

  #sync(): void {
    const zxid = this.#appended;
    if (zxid === undefined) return;
    const { figures, clock } = this.#options;
    figures?.syncing(this.#gatheredCount);
    const startMs = clock.monotonicMs();
    this.#appended = undefined;
    this.#gatheredCount = 0;
    this.#isSyncing = true;
    this.#options.log.flush((error) => {
      this.#isSyncing = false;
      figures?.synced(clock.monotonicMs() - startMs);
      if (error !== undefined) this.#fail(error);
      else if (!this.#isClosed) {
        this.#options.durable(zxid);
        if (this.#appended !== undefined && !this.#isSyncing && !this.#isClosed) this.#continue();
      }
    });
  }

  #continue(): void {
    if (this.#options.flushDelayMs > 0) this.#schedule();
    else this.#sync();
  }

  #fail(error: DiskError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.failed(error);
  }
}
