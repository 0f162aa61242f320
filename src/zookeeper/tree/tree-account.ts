import type { EventType } from '../jute/events.ts';

/** Who keeps account of what happens to a tree, for metrics. */
export interface TreeAccount {
  /** A node was created, changed or (0 bytes) deleted. */
  wrote(path: string, bytes: number): void;
  /** So many watchers were told of an event. */
  watchesFired(type: EventType, count: number): void;
}
