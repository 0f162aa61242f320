import type { Clock } from '../../runtime/clock.ts';
import type { DiskError } from '../../runtime/disk.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { GroupSync } from '../persistence/group-sync.ts';
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
 * Agreement of one server with itself: a transaction is committed when the log is synced. After a failed write or sync nothing is
 * committed any more.
 */
export class StandaloneAgreement implements Agreement {
  readonly #options: StandaloneAgreementOptions;
  readonly #sync: GroupSync;
  /** Appended or, without a transaction, in their place behind what was; not yet part of a sync. */
  #gathering: Proposal[] = [];
  #syncing: Proposal[] = [];
  #isOver = false;

  constructor(options: StandaloneAgreementOptions) {
    this.#options = options;
    const { clock, log, flushDelayMs, maxBatchSize } = options;
    this.#sync = new GroupSync({
      clock,
      flush: (done) => log.flush(done),
      flushDelayMs,
      maxBatchSize,
      began: (txnCount) => this.#syncBegan(txnCount),
      ended: (tookMs, error) => this.#syncEnded(tookMs, error),
    });
  }

  get pendingCount(): number {
    return this.#gathering.length + this.#syncing.length;
  }

  propose(proposal: Proposal): void {
    if (this.#isOver) return;
    this.#gathering.push(proposal);
    if (proposal.txn !== undefined) {
      this.#options.log.append(proposal.txn);
      this.#options.metrics.logged.add();
    }
    this.#sync.joined(proposal.txn === undefined ? 'mark' : 'txn');
  }

  close(): Promise<void> {
    this.#end();
    return new Promise((resolve) => this.#options.log.close(() => resolve()));
  }

  #end(): void {
    this.#isOver = true;
    this.#sync.close();
    this.#gathering = [];
  }

  #syncBegan(txnCount: number): void {
    const { metrics } = this.#options;
    metrics.syncQueueSize.add(this.#gathering.length);
    if (txnCount > 0) metrics.syncBatchSize.add(txnCount);
    this.#syncing = this.#gathering;
    this.#gathering = [];
  }

  #syncEnded(tookMs: number, error: DiskError | undefined): void {
    const { metrics, listener } = this.#options;
    const group = this.#syncing;
    this.#syncing = [];
    metrics.syncFlushTime.add(Math.floor(tookMs));
    if (this.#isOver) return;
    if (error !== undefined) {
      this.#end();
      listener.failed(error);
    } else listener.committed(group);
  }
}
