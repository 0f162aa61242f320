import type { LogFigures } from '../quorum/log-writer.ts';
import type { ServerMetrics } from '../server/metrics/server-metrics.ts';

/** What Apache's SyncRequestProcessor counts. */
export function logFigures({ syncQueueSize, syncBatchSize, syncFlushTime }: ServerMetrics): LogFigures {
  return {
    syncing(count) {
      syncQueueSize.add(count);
      syncBatchSize.add(count);
    },
    synced: (tookMs) => syncFlushTime.add(Math.floor(tookMs)),
  };
}
