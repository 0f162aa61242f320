import type { Clock } from '../../runtime/clock.ts';
import type { DiskError } from '../../runtime/disk.ts';
import type { Zxid } from '../jute/ids.ts';
import { GroupSync } from '../persistence/group-sync.ts';

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
 * What a member of an ensemble logs before it acknowledges. After a failed write or sync nothing is acknowledged any more.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #sync: GroupSync;
  #appended: Zxid | undefined;
  /** The last of the group that is synced. */
  #syncing: Zxid | undefined;
  /** Appended and not yet in the log: something else has to be on the disk first. */
  #held: { readonly zxid: Zxid; readonly bytes: Uint8Array }[] | undefined;
  #released: Promise<void> = Promise.resolve();
  #isClosed = false;
  #hasFailed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    const { clock, log, flushDelayMs, maxBatchSize, figures } = options;
    this.#sync = new GroupSync({
      clock,
      flush: (done) => log.flush(done),
      flushDelayMs,
      maxBatchSize,
      began: (txnCount) => {
        figures?.syncing(txnCount);
        this.#syncing = this.#appended;
      },
      ended: (tookMs, error) => {
        figures?.synced(tookMs);
        if (error !== undefined) this.#fail(error);
        else if (!this.#isClosed && this.#syncing !== undefined) options.durable(this.#syncing);
      },
    });
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
    this.#sync.joined('txn');
  }

  /** Takes and acknowledges no more. Resolves when all that was appended is on the disk, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sync.close();
    if (this.#held !== undefined) await this.#released;
    return new Promise((resolve) => {
      this.#options.log.flush((error) => {
        if (error !== undefined) this.#fail(error);
        resolve();
      });
    });
  }

  #fail(error: DiskError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.failed(error);
  }
}
