import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { NO_NODE } from '../tree/data-tree.ts';
import { QuotaValues, quotaLimitPath, quotaStatPath } from '../tree/quotas.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { OutstandingChanges } from './outstanding-changes.ts';
import { RepeatedWarning } from './repeated-warning.ts';

export interface QuotaCheckOptions {
  readonly tree: DataTree;
  readonly changes: OutstandingChanges;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ServerMetrics;
}

/**
 * Judges changes by the limits above them (ZooKeeperServer.checkQuota, `zookeeper.enforceQuota`). Of each kind the hard limit
 * counts, which refuses, or where there is none the soft one, which only warns. Usage is what is applied: Apache does not count
 * what is outstanding either.
 */
export class QuotaCheck {
  readonly #tree: DataTree;
  readonly #changes: OutstandingChanges;
  readonly #metrics: ServerMetrics;
  readonly #warning: RepeatedWarning;

  constructor({ tree, changes, clock, log, metrics }: QuotaCheckOptions) {
    this.#tree = tree;
    this.#changes = changes;
    this.#metrics = metrics;
    this.#warning = new RepeatedWarning(clock, log);
  }

  /** Whether a hard limit forbids so many nodes and bytes more. What makes nodes smaller is judged too, if it changes bytes. */
  refuses(path: string, nodes: number, bytes: number): boolean {
    const prefix = this.#tree.quotaPrefix(path);
    if (prefix === undefined || !this.#changes.has(quotaLimitPath(prefix))) return false;
    const limits = this.#valuesAt(quotaLimitPath(prefix));
    const usage = this.#valuesAt(quotaStatPath(prefix));
    if (limits === undefined || usage === undefined) return false;
    const isRefused =
      (nodes !== 0 && this.#exceeds(prefix, 'count', usage.get('count') + nodes, limits)) ||
      (bytes !== 0 && this.#exceeds(prefix, 'bytes', usage.get('bytes') + bytes, limits));
    if (isRefused) this.#metrics.quotaWasExceeded(path);
    return isRefused;
  }

  /** Answers whether a hard limit is exceeded. */
  #exceeds(prefix: string, what: 'count' | 'bytes', used: number, limits: QuotaValues): boolean {
    const hard = limits.get(what === 'count' ? 'countHardLimit' : 'byteHardLimit');
    const isHard = hard > -1;
    const limit = isHard ? hard : limits.get(what);
    if (limit <= -1 || used <= limit) return false;
    const name = `${isHard ? 'hard' : 'soft'}${what === 'count' ? 'Count' : 'Byte'}Limit`;
    this.#warning.warn(`Quota exceeded: ${prefix} [current ${what}=${used}, ${name}=${limit}]`);
    return isHard;
  }

  #valuesAt(path: string): QuotaValues | undefined {
    const node = this.#tree.find(path);
    if (node === NO_NODE) return undefined;
    const data = this.#tree.viewData(node);
    return new QuotaValues(data === null ? '' : Buffer.prototype.utf8Slice.call(data, 0, data.length));
  }
}
