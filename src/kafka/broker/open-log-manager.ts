import type { Runtime } from '../../runtime/runtime.ts';
import { LogManager, type LogManagerOptions } from '../log/log-manager.ts';
import { cleanerConfigOf } from './config/cleaner-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { RECENT_BATCHES_KEY } from './config/own-keys.ts';

type Wiring = Pick<LogManagerOptions, 'configOf' | 'turnEnd' | 'directoryWentOffline'>;

/** The logs of a broker, with what its configuration says of them. @throws DiskError where no log dir can be used */
export function openLogManager(runtime: Runtime, config: KafkaConfig, wiring: Wiring): Promise<LogManager> {
  return LogManager.open({
    ...wiring,
    runtime,
    logDirs: config.logDirs,
    recentBatchesBytes: config.number(RECENT_BATCHES_KEY),
    producerIdExpirationMs: () => config.number('producer.id.expiration.ms'),
    cleaner: cleanerConfigOf(config),
    intervals: {
      retentionCheckMs: config.number('log.retention.check.interval.ms'),
      recoveryPointCheckpointMs: config.number('log.flush.offset.checkpoint.interval.ms'),
      logStartOffsetCheckpointMs: config.number('log.flush.start.offset.checkpoint.interval.ms'),
      highWatermarkCheckpointMs: config.number('replica.high.watermark.checkpoint.interval.ms'),
      flushCheckMs: config.number('log.flush.scheduler.interval.ms'),
    },
  });
}
