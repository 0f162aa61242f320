import type { Clock, Timer } from '../../runtime/clock.ts';
import type { DiskError } from '../../runtime/disk.ts';

export interface GroupSyncOptions {
  readonly clock: Clock;
  /** Calls once everything appended so far is durable; at once if there is nothing to wait for. */
  readonly flush: (done: (error?: DiskError) => void) => void;
  /** `flushDelay`: how long transactions gather at least, 0 for no longer than the poll that brought them. */
  readonly flushDelayMs: number;
  /** `maxBatchSize`: so many do not wait for more. */
  readonly maxBatchSize: number;
  /** What has joined is synced now, transactions among it so many; what joins later is the next group. */
  readonly began: (txnCount: number) => void;
  /** That group is durable, or is not. Called after `close` too. */
  readonly ended: (tookMs: number, error: DiskError | undefined) => void;
}

/**
 * When a log is synced (SyncRequestProcessor): one sync is in flight, what arrives meanwhile is the next group. After one that failed
 * there is none: what the disk holds is unknown.
 */
export class GroupSync {
  readonly #options: GroupSyncOptions;
  /** Joined since the last sync began: transactions and marks; transactions alone. */
  #joinedCount = 0;
  #txnCount = 0;
  #isSyncing = false;
  #isScheduled = false;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(options: GroupSyncOptions) {
    this.#options = options;
  }

  /** A transaction has been appended to the log, or a mark has its place behind what was. */
  joined(what: 'txn' | 'mark'): void {
    this.#joinedCount += 1;
    if (what === 'txn') this.#txnCount += 1;
    if (this.#isSyncing || this.#isOver) return;
    if (this.#txnCount >= this.#options.maxBatchSize) this.#sync();
    else this.#schedule();
  }

  /** Begins no sync any more. */
  close(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  /** What the other sockets of this poll bring joins the group. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const { clock, flushDelayMs } = this.#options;
    const run = (): void => {
      this.#isScheduled = false;
      if (!this.#isSyncing && !this.#isOver) this.#sync();
    };
    if (flushDelayMs > 0) this.#timer = clock.after(flushDelayMs, run);
    else clock.soon(run);
  }

  #sync(): void {
    if (this.#joinedCount === 0) return;
    const { clock, flush, began, ended } = this.#options;
    const startMs = clock.monotonicMs();
    const txnCount = this.#txnCount;
    this.#isSyncing = true;
    this.#joinedCount = 0;
    this.#txnCount = 0;
    began(txnCount);
    flush((error) => {
      this.#isSyncing = false;
      if (error !== undefined) this.close();
      ended(clock.monotonicMs() - startMs, error);
      if (this.#joinedCount > 0 && !this.#isSyncing && !this.#isOver) this.#continue();
    });
  }

  #continue(): void {
    if (this.#options.flushDelayMs > 0) this.#schedule();
    else this.#sync();
  }
}
