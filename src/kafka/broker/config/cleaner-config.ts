import { ConfigError } from '../../../config/config-error.ts';
import type { Log } from '../../../runtime/log.ts';
import type { CleanerConfig } from '../../log/cleaner/cleaner-config.ts';
import type { LogManager } from '../../log/log-manager.ts';
import { DECOMPRESSED_SIZE_MAX } from '../../records/iterate.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { DECOMPRESSED_BYTES_KEY } from './own-keys.ts';

const MIB = 1_048_576;

/** The cleaner's settings. @throws ConfigError for what would leave it without room to work in */
export function cleanerConfigOf(config: KafkaConfig): CleanerConfig {
  const cleaner: CleanerConfig = {
    enabled: config.boolean('log.cleaner.enable'),
    threads: config.number('log.cleaner.threads'),
    dedupeBufferBytes: config.number('log.cleaner.dedupe.buffer.size'),
    loadFactor: config.number('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: config.number('log.cleaner.io.buffer.size'),
    ioBytesPerSecondMax: config.number('log.cleaner.io.max.bytes.per.second'),
    backoffMs: config.number('log.cleaner.backoff.ms'),
    decompressedBytesMax: Math.max(config.number(DECOMPRESSED_BYTES_KEY), DECOMPRESSED_SIZE_MAX),
  };
  if (cleaner.threads < 1) {
    throw new ConfigError('log.cleaner.threads', String(cleaner.threads), 'there must be at least one cleaner thread');
  }
  if (cleaner.dedupeBufferBytes / cleaner.threads <= MIB) {
    throw new ConfigError(
      'log.cleaner.dedupe.buffer.size',
      String(cleaner.dedupeBufferBytes),
      'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
    );
  }
  if (!(cleaner.loadFactor > 0 && cleaner.loadFactor <= 1)) {
    const fix = 'give the share of the buffer that may be used, above 0 and at most 1';
    throw new ConfigError('log.cleaner.io.buffer.load.factor', String(cleaner.loadFactor), fix);
  }
  if (!(cleaner.ioBytesPerSecondMax > 0)) {
    const fix = 'give a rate above 0';
    throw new ConfigError('log.cleaner.io.max.bytes.per.second', String(cleaner.ioBytesPerSecondMax), fix);
  }
  return cleaner;
}

/** What changed while the broker runs counts at once. Apache takes values that its cleaner then fails on; ours goes on as it was. */
export function configureCleaner(logs: LogManager | undefined, config: KafkaConfig, log: Log): void {
  try {
    logs?.configureCleaner(cleanerConfigOf(config));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.warn('the log cleaner stays as it is', { error: error.message });
  }
}
