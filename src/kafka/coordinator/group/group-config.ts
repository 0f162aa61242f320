export interface GroupConfig {
  readonly sessionTimeoutMinMs: number;
  readonly sessionTimeoutMaxMs: number;
  /** Members a group may have. */
  readonly groupSizeMax: number;
  readonly initialRebalanceDelayMs: number;
  /** UTF-16 units, as Apache counts the text that may stand beside an offset. */
  readonly offsetMetadataLengthMax: number;
  readonly offsetsRetentionMs: number;
  readonly retentionCheckIntervalMs: number;
}

/** From a broker's configuration, by its keys. */
export function groupConfig(number: (key: string) => number): GroupConfig {
  return {
    sessionTimeoutMinMs: number('group.min.session.timeout.ms'),
    sessionTimeoutMaxMs: number('group.max.session.timeout.ms'),
    groupSizeMax: number('group.max.size'),
    initialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    offsetMetadataLengthMax: number('offset.metadata.max.bytes'),
    offsetsRetentionMs: number('offsets.retention.minutes') * 60_000,
    retentionCheckIntervalMs: number('offsets.retention.check.interval.ms'),
  };
}
