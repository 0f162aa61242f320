import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { fraction } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ServerMetrics } from './metrics/server-metrics.ts';
import { ServerStats } from './server-stats.ts';

/** ZooTrace: client requests, sessions, warnings and server packets. */
const DEFAULT_TRACE_MASK = 306n;

/** What is counted as long as the process lives, whatever it serves meanwhile: a member of an ensemble has many terms. */
export class ProcessFigures {
  readonly stats = new ServerStats();
  readonly metrics: ServerMetrics;
  /** ZooTrace's mask: kept for those who ask, nothing is traced by it. */
  readonly trace = { mask: DEFAULT_TRACE_MASK };

  constructor({ random }: Runtime, { metricsProvider }: ZooCfg) {
    this.metrics = new ServerMetrics({
      stats: this.stats,
      chance: () => fraction(random),
      samplesAll: metricsProvider.kind === 'prometheus',
    });
  }
}
