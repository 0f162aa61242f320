import type { Zxid } from '../jute/ids.ts';
import { LogWriter } from '../quorum/log-writer.ts';
import type { RoleParts } from '../server/role.ts';
import type { Database } from './database.ts';

/** The log of a member in its role; a sync is counted as Apache's SyncRequestProcessor counts it, and a failed one ends the server. */
export function memberLog(parts: RoleParts, database: Database, durable: (zxid: Zxid) => void): LogWriter {
  const { clock, config, files, applier, metrics } = parts;
  return new LogWriter({
    clock,
    log: {
      append: (zxid, bytes) => database.append(zxid, bytes),
      flush: (done) => files.log.flush(done),
    },
    flushDelayMs: config.flushDelayMs,
    maxBatchSize: config.maxBatchSize,
    durable,
    figures: {
      syncing(count) {
        metrics.syncQueueSize.add(count);
        metrics.syncBatchSize.add(count);
      },
      synced: (tookMs) => metrics.syncFlushTime.add(Math.floor(tookMs)),
    },
    failed: (error) => applier.failed(error),
  });
}
