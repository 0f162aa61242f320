import type { Assignment } from '../assignment.ts';

export interface AssignableMember {
  readonly instanceId: string | null;
  /** Of topics that exist. */
  readonly topicIds: readonly string[];
  /** What it was to have until now. */
  readonly assignment: Assignment;
}

/** What a server-side assignor is given. */
export interface AssignableGroup {
  /** In the order of Java's `HashMap`. */
  readonly members: ReadonlyMap<string, AssignableMember>;
  /** All members subscribe to the same topics. */
  readonly isHomogeneous: boolean;
  /** Somebody was to have the partition until now. */
  isAssigned(topicId: string, partition: number): boolean;
  partitionCount(topicId: string): number;
}

/** Who is to have what. Whoever is left out is to have nothing. */
export type Assignor = (group: AssignableGroup) => Map<string, Assignment>;
