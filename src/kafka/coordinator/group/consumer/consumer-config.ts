import type { Assignor } from './assignors/assignor.ts';
import { assignRanges } from './assignors/range.ts';
import { assignUniformly } from './assignors/uniform.ts';

/** Whether a living group may go from one protocol to the other. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled';

/** What a group may have values of its own for. */
export interface GroupTimes {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** The least time between two target assignments (KIP-1263). */
  readonly assignmentIntervalMs: number;
}

/** `group.consumer.*` */
export interface ConsumerConfig {
  /** False: heartbeats of this protocol are refused. */
  readonly isEnabled: boolean;
  readonly groupSizeMax: number;
  /** The first is the default. */
  readonly assignors: readonly string[];
  readonly migrationPolicy: MigrationPolicy;
  readonly regexRefreshIntervalMs: number;
  times(groupId: string): GroupTimes;
}

const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniformly],
  ['range', assignRanges],
]);

export function assignorOf(name: string): Assignor {
  return assignors.get(name) ?? assignUniformly;
}

/** 3.9 names them by class, 4.x by name. Undefined for what is neither of the two that there are. */
export function assignorName(text: string): string | undefined {
  const name = text
    .slice(text.lastIndexOf('.') + 1)
    .replace(/Assignor$/, '')
    .toLowerCase();
  return assignors.has(name) ? name : undefined;
}
