import type { Clock, Timer } from '../../runtime/clock.ts';
import type { DiskError } from '../../runtime/disk.ts';
import type { TxnRecord } from '../jute/txn.ts';
import type { Agreement, AgreementListener, Proposal } from './agreement.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';

/** The transaction log as this needs it. */
export interface AppendLog {
  /** Durable once a later `flush` is done. */
  append(record: TxnRecord): void;
  /** Calls once everything appended so far is durable; at once if there is nothing to wait for. */
  flush(done: (error?: DiskError) => void): void;
  close(done: (error?: DiskError) => void): void;
}

export interface StandaloneAgreementOptions {
  readonly clock: Clock;
  readonly log: AppendLog;
  /** `flushDelay`: how long transactions gather at least, 0 for no longer than the poll that brought them. */
  readonly flushDelayMs: number;
  /** `maxBatchSize`: so many do not wait for more. */
  readonly maxBatchSize: number;
  readonly listener: AgreementListener;
  readonly metrics: ServerMetrics;
}

/**
 * Agreement of one server with itself: a transaction is committed when the log is synced. One sync is in flight; what arrives
 * meanwhile is the next group. After a failed write or sync nothing is committed any more: what the disk holds is unknown.
 */
export class StandaloneAgreement implements Agreement {
  readonly #options: StandaloneAgreementOptions;
  /** Appended or, without a transaction, in their place behind what was; not yet part of a sync. */
  #gathering: Proposal[] = [];
  #syncing: Proposal[] = [];
  /** Transactions among the gathering. */
  #gatheredTxns = 0;
  #isSyncing = false;
  #isScheduled = false;
  #timer: Timer | undefined;
  #syncStartMs = 0;
  #isOver = false;

  constructor(options: StandaloneAgreementOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#gathering.length + this.#syncing.length;
  }

  propose(proposal: Proposal): void {
    if (this.#isOver) return;
    this.#gathering.push(proposal);
    if (proposal.txn !== undefined) {
      this.#options.log.append(proposal.txn);
      this.#gatheredTxns += 1;
      this.#options.metrics.logged.add();
    }
    if (this.#isSyncing) return;
    if (this.#gatheredTxns >= this.#options.maxBatchSize) this.#sync();
    else this.#schedule();
  }

  close(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#gathering = [];
    return new Promise((resolve) => this.#options.log.close(() => resolve()));
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
    if (this.#gathering.length === 0) return;
    this.#options.metrics.syncQueueSize.add(this.#gathering.length);
    if (this.#gatheredTxns > 0) this.#options.metrics.syncBatchSize.add(this.#gatheredTxns);
    this.#syncStartMs = this.#options.clock.monotonicMs();
    this.#syncing = this.#gathering;
    this.#gathering = [];
    this.#gatheredTxns = 0;
    this.#isSyncing = true;
    this.#options.log.flush((error) => this.#synced(error));
  }

  #synced(error: DiskError | undefined): void {
    const group = this.#syncing;
    this.#syncing = [];
    this.#isSyncing = false;
    this.#options.metrics.syncFlushTime.add(Math.floor(this.#options.clock.monotonicMs() - this.#syncStartMs));
    if (this.#isOver) return;
    if (error !== undefined) {
      this.#isOver = true;
      this.#gathering = [];
      this.#options.listener.failed(error);
      return;
    }
    this.#options.listener.committed(group);
    if (this.#gathering.length > 0 && !this.#isSyncing && !this.#isOver) {
      if (this.#options.flushDelayMs > 0) this.#schedule();
      else this.#sync();
    }
  }
}
