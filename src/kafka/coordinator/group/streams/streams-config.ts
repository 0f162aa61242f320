import type { GroupTimes } from '../consumer/consumer-config.ts';

/** What a group may have values of its own for (`streams.*`). */
export interface StreamsSettings extends GroupTimes {
  readonly initialRebalanceDelayMs: number;
  readonly standbyReplicas: number;
  /** Members need values for these client tags; empty: none is needed. */
  readonly rackAwareTags: readonly string[];
  /** How often members tell of the offsets of their state. */
  readonly taskOffsetIntervalMs: number;
  /** A copy that lacks no more records than this counts as caught up. */
  readonly acceptableRecoveryLag: number;
}

/** `group.streams.*` */
export interface StreamsConfig {
  /** False: requests of this protocol are refused. */
  readonly isEnabled: boolean;
  readonly groupSizeMax: number;
  settings(groupId: string): StreamsSettings;
}

export const ASSIGNOR = 'sticky';

/** What a group was last assigned with, as its record keeps it: another value calls for another assignment. */
export function assignmentConfigs({ standbyReplicas, rackAwareTags }: StreamsSettings): Map<string, string> {
  const configs = new Map([['num.standby.replicas', String(standbyReplicas)]]);
  if (rackAwareTags.length > 0) configs.set(RACK_AWARE_TAGS, rackAwareTags.join(','));
  return configs;
}

const RACK_AWARE_TAGS = 'rack.aware.assignment.tags';
