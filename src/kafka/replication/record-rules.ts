import type { LogConfig } from '../log/log-config.ts';
import type { RecordRules } from '../records/validation.ts';

const known = new WeakMap<LogConfig, RecordRules>();

/** The part of a log's configuration that rules which records it takes; made once for each configuration. */
export function recordRulesOf(config: LogConfig): RecordRules {
  let rules = known.get(config);
  if (rules === undefined) {
    rules = {
      maxMessageBytes: config.maxMessageBytes,
      compressionType: config.compressionType as RecordRules['compressionType'],
      compressionLevel: levelOf(config),
      isCompacted: config.compact,
      timestampType: config.messageTimestampType,
      timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
      timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    };
    known.set(config, rules);
  }
  return rules;
}

function levelOf(config: LogConfig): number | undefined {
  switch (config.compressionType) {
    case 'gzip':
      return config.compressionGzipLevel;
    case 'lz4':
      return config.compressionLz4Level;
    case 'zstd':
      return config.compressionZstdLevel;
    default:
      return undefined;
  }
}
