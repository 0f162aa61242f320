import type { Isolation } from '../replication/partition.ts';

/** Where a group begins that has no start offset: at an end of the log, or so long ago. */
export type OffsetReset = 'earliest' | 'latest' | { readonly durationMs: number };

/** What counts for one share group now: its own values (`share.*` of the group), else the broker's (`group.share.*`). */
export interface ShareGroupConfig {
  /** `share.record.lock.duration.ms`: a record that is not acknowledged within it is delivered again. */
  readonly recordLockDurationMs: number;
  /** `share.delivery.count.limit` */
  readonly deliveryCountMax: number;
  /** `share.partition.max.record.locks` */
  readonly inFlightMax: number;
  /** `share.auto.offset.reset` */
  readonly offsetReset: OffsetReset;
  /** `share.isolation.level` */
  readonly isolation: Isolation;
  /** `share.renew.acknowledge.enable` */
  readonly isRenewEnabled: boolean;
}
