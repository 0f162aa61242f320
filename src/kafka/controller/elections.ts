import type { PartitionState } from '../zk/znodes.ts';

/** Who shall lead, and with which in-sync replicas; undefined when nobody may. */
export interface Election {
  readonly leader: number;
  readonly isr: readonly number[];
  /** Without it the state of before stays. */
  readonly leaderRecoveryState?: number;
}

/** Of a partition whose leader has all records that were committed (`LeaderRecoveryState`). */
export const RECOVERED = 0;
/** Of one whose leader was not in sync: records are lost, and the leader has yet to say what it made of that (KIP-704). */
export const RECOVERING = 1;

/** A partition that never had a leader: the first live replica leads, all live ones are in sync (`electLeaderForNewPartition`). */
export function electNew(replicas: readonly number[], live: ReadonlySet<number>): Election | undefined {
  const isr = replicas.filter((id) => live.has(id));
  return isr[0] === undefined ? undefined : { leader: isr[0], isr };
}

/**
 * The leader is gone: the first assigned replica that is live and in sync. Without one the partition stays offline, unless
 * the topic prefers availability to its records (`unclean.leader.election.enable`).
 */
export function electOffline(
  replicas: readonly number[],
  state: PartitionState,
  live: ReadonlySet<number>,
  uncleanAllowed: boolean,
): Election | undefined {
  const clean = replicas.find((id) => live.has(id) && state.isr.includes(id));
  if (clean !== undefined) return { leader: clean, isr: state.isr.filter((id) => live.has(id)) };
  const unclean = uncleanAllowed ? replicas.find((id) => live.has(id)) : undefined;
  return unclean === undefined ? undefined : { leader: unclean, isr: [unclean], leaderRecoveryState: RECOVERING };
}

/** The first replica of the assignment, when it is live and in sync. */
export function electPreferred(
  replicas: readonly number[],
  state: PartitionState,
  live: ReadonlySet<number>,
): Election | undefined {
  const [preferred] = replicas;
  if (preferred === undefined || !live.has(preferred) || !state.isr.includes(preferred)) return undefined;
  return { leader: preferred, isr: state.isr };
}

/** The leader is not among those who shall have the partition: the first of them who is live and in sync. */
export function electForReassignment(
  replicas: readonly number[],
  state: PartitionState,
  live: ReadonlySet<number>,
): Election | undefined {
  const leader = replicas.find((id) => live.has(id) && state.isr.includes(id));
  return leader === undefined ? undefined : { leader, isr: state.isr };
}

/** A broker is leaving: somebody live and in sync that stays takes over. */
export function electForShutdown(
  replicas: readonly number[],
  state: PartitionState,
  live: ReadonlySet<number>,
  shuttingDown: ReadonlySet<number>,
): Election | undefined {
  const isr = state.isr.filter((id) => !shuttingDown.has(id));
  const leader = replicas.find((id) => live.has(id) && isr.includes(id));
  return leader === undefined ? undefined : { leader, isr };
}
