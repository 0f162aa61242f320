import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { MemberState, type StreamsMember } from './streams-member.ts';
import type { TaskHolders } from './task-holders.ts';
import {
  type HeldAssignment,
  hasNoTasks,
  hasTask,
  NOTHING_HELD,
  overlaps,
  type TaskAssignment,
  type Tasks,
} from './tasks.ts';

export interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: TaskAssignment;
  readonly holders: TaskHolders;
  /** What the member says it has; undefined where it does not say. */
  readonly owned: TaskAssignment | undefined;
}

/**
 * The next step of a member towards its target (`CurrentAssignmentBuilder`); the same member where there is none. A member first
 * gives up what it is not to have, then goes on to the target epoch, and waits there for what others have yet to give up.
 * @throws KafkaError FENCED_MEMBER_EPOCH for a state that a later release wrote, unless the member has nothing
 */
export function reconcileTasks(member: StreamsMember, to: Reconciliation): StreamsMember {
  switch (member.state) {
    case MemberState.STABLE:
      return member.epoch === to.targetEpoch ? member : next(member, to, member.epoch);
    case MemberState.UNREVOKED_TASKS:
      return stillHas(to.owned, member.revoking) ? member : next(member, to, member.epoch + 1);
    case MemberState.UNRELEASED_TASKS:
      return next(member, to, member.epoch);
    default:
      if (to.owned === undefined || !hasNoTasks(to.owned)) {
        throw new KafkaError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The streams group member is in a unknown state. The member must abandon all its tasks and rejoin.',
        );
      }
      return next(member, to, to.targetEpoch);
  }
}

/** Who does not say what it has may have anything. */
function stillHas(owned: TaskAssignment | undefined, revoking: HeldAssignment): boolean {
  return owned === undefined || overlaps(owned, revoking);
}

type Growing = Map<string, Map<number, number>>;

/** What becomes of the tasks of one role. Standby and warm-up tasks have no epochs: theirs are never looked at. */
interface Difference {
  readonly kept: Growing;
  readonly revoked: Growing;
  /** Not its own yet, and free for it. */
  readonly granted: Growing;
  isComplete: boolean;
}

type Held = ReadonlyMap<string, ReadonlyMap<number, number>>;

function next(member: StreamsMember, to: Reconciliation, epoch: number): StreamsMember {
  const { assigned } = member;
  const { target, targetEpoch } = to;
  const isTaken = takenBy(member, to.holders);
  const active = differ(assigned.active, target.active, targetEpoch, isTaken.active);
  const standby = differ(withEpochs(assigned.standby), target.standby, targetEpoch, isTaken.standby);
  const warmup = differ(withEpochs(assigned.warmup), target.warmup, targetEpoch, isTaken.warmup);
  // A change of role that hangs on nobody else is told at once in both halves, so that the task need not be closed.
  for (const [id, partition] of each(assigned.active)) move(standby.granted, standby.kept, id, partition);
  for (const [id, partition] of each(assigned.standby)) {
    if (move(warmup.granted, warmup.kept, id, partition)) remove(standby.revoked, id, partition);
  }
  for (const [id, partition] of each(assigned.warmup)) {
    if (move(standby.granted, standby.kept, id, partition)) remove(warmup.revoked, id, partition);
  }
  // Who is to run what it stands by for keeps its copy until it may: nothing is revoked for that.
  for (const [from, { revoked }] of [
    [assigned.standby, standby],
    [assigned.warmup, warmup],
  ] as const) {
    for (const [id, partition] of each(from)) if (hasTask(target.active, id, partition)) remove(revoked, id, partition);
  }
  const revoking = { active: active.revoked, standby: plain(standby.revoked), warmup: plain(warmup.revoked) };
  const mustRevoke = !hasNoTasks(revoking) && stillHas(to.owned, revoking);
  for (const [from, { kept }] of [
    [assigned.standby, standby],
    [assigned.warmup, warmup],
  ] as const) {
    for (const [id, partition] of each(from)) {
      const isPromoted = !mustRevoke && hasTask(active.granted, id, partition);
      if (hasTask(target.active, id, partition) && !isPromoted) put(kept, id, partition, targetEpoch);
    }
  }
  if (mustRevoke) {
    return {
      ...member,
      epoch,
      previousEpoch: member.epoch,
      state: MemberState.UNREVOKED_TASKS,
      assigned: { active: active.kept, standby: plain(standby.kept), warmup: plain(warmup.kept) },
      revoking,
    };
  }
  const isComplete = active.isComplete && standby.isComplete && warmup.isComplete;
  return {
    ...member,
    epoch: targetEpoch,
    previousEpoch: member.epoch,
    state: isComplete ? MemberState.STABLE : MemberState.UNRELEASED_TASKS,
    assigned: {
      active: merged(active.kept, active.granted),
      standby: plain(merged(standby.kept, standby.granted)),
      warmup: plain(merged(warmup.kept, warmup.granted)),
    },
    revoking: NOTHING_HELD,
  };
}

function differ(
  current: Held,
  target: Tasks,
  targetEpoch: number,
  isTaken: (subtopologyId: string, partition: number) => boolean,
): Difference {
  const difference: Difference = { kept: new Map(), revoked: new Map(), granted: new Map(), isComplete: true };
  for (const [id, partitions] of current) {
    for (const [partition, epoch] of partitions) {
      put(hasTask(target, id, partition) ? difference.kept : difference.revoked, id, partition, epoch);
    }
  }
  for (const [id, partition] of each(target)) {
    if (hasTask(current, id, partition)) continue;
    if (isTaken(id, partition)) difference.isComplete = false;
    else put(difference.granted, id, partition, targetEpoch);
  }
  return difference;
}

type IsTaken = (subtopologyId: string, partition: number) => boolean;

/** A task runs once in the group; of its copies a process has one, whatever its role. */
function takenBy(
  { assigned, processId }: StreamsMember,
  holders: TaskHolders,
): { readonly active: IsTaken; readonly standby: IsTaken; readonly warmup: IsTaken } {
  const hasStandby: IsTaken = (id, one) => holders.standby(id, one).has(processId);
  const hasWarmup: IsTaken = (id, one) => holders.warmup(id, one).has(processId);
  const othersStandby: IsTaken = (id, one) => hasStandby(id, one) && !hasTask(assigned.standby, id, one);
  const othersWarmup: IsTaken = (id, one) => hasWarmup(id, one) && !hasTask(assigned.warmup, id, one);
  const runsHere: IsTaken = (id, one) => holders.active(id, one) === processId;
  return {
    active: (id, one) => holders.active(id, one) !== undefined || othersStandby(id, one) || othersWarmup(id, one),
    standby: (id, one) =>
      (runsHere(id, one) && !hasTask(assigned.active, id, one)) || hasStandby(id, one) || othersWarmup(id, one),
    warmup: (id, one) => runsHere(id, one) || othersStandby(id, one) || hasWarmup(id, one),
  };
}

function* each(tasks: Tasks | Held): IterableIterator<readonly [string, number]> {
  for (const [id, partitions] of tasks) for (const partition of partitions.keys()) yield [id, partition];
}

function withEpochs(tasks: Tasks): Held {
  return new Map(Array.from(tasks, ([id, partitions]) => [id, new Map(Array.from(partitions, (one) => [one, 0]))]));
}

function plain(tasks: Held): Tasks {
  return new Map(Array.from(tasks, ([id, partitions]) => [id, new Set(partitions.keys())]));
}

function put(tasks: Growing, id: string, partition: number, epoch: number): void {
  const partitions = tasks.get(id);
  if (partitions === undefined) tasks.set(id, new Map([[partition, epoch]]));
  else partitions.set(partition, epoch);
}

function remove(tasks: Growing, id: string, partition: number): boolean {
  const partitions = tasks.get(id);
  if (partitions?.delete(partition) !== true) return false;
  if (partitions.size === 0) tasks.delete(id);
  return true;
}

/** Answers whether the task was there to be moved. */
function move(from: Growing, to: Growing, id: string, partition: number): boolean {
  if (!remove(from, id, partition)) return false;
  put(to, id, partition, 0);
  return true;
}

function merged(a: Growing, b: Growing): Growing {
  for (const [id, partitions] of b) for (const [partition, epoch] of partitions) put(a, id, partition, epoch);
  return a;
}
