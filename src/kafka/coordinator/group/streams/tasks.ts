/** Tasks of a Streams application: partition numbers by subtopology. */
export type Tasks = ReadonlyMap<string, ReadonlySet<number>>;

/** The same with the assignment epoch since which a member has each. */
export type HeldTasks = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface TaskAssignment {
  readonly active: Tasks;
  readonly standby: Tasks;
  readonly warmup: Tasks;
}

/** What a member has. Only active tasks have epochs: they alone commit offsets. */
export interface HeldAssignment {
  readonly active: HeldTasks;
  readonly standby: Tasks;
  readonly warmup: Tasks;
}

export const NO_TASKS: Tasks = new Map();
export const NO_ASSIGNMENT: TaskAssignment = { active: NO_TASKS, standby: NO_TASKS, warmup: NO_TASKS };
export const NOTHING_HELD: HeldAssignment = { active: new Map(), standby: NO_TASKS, warmup: NO_TASKS };

/** Tasks as messages and records list them. */
export interface TaskIds {
  subtopologyId: string;
  partitions: number[];
}

export function tasksOf(ids: readonly TaskIds[]): Tasks {
  return new Map(ids.map(({ subtopologyId, partitions }) => [subtopologyId, new Set(partitions)]));
}

export function assignmentOf(ids: {
  readonly activeTasks: readonly TaskIds[];
  readonly standbyTasks: readonly TaskIds[];
  readonly warmupTasks: readonly TaskIds[];
}): TaskAssignment {
  return {
    active: tasksOf(ids.activeTasks),
    standby: tasksOf(ids.standbyTasks),
    warmup: tasksOf(ids.warmupTasks),
  };
}

/** By subtopology, partitions in order. */
export function taskIds(tasks: Tasks | HeldTasks): TaskIds[] {
  return [...tasks]
    .map(([subtopologyId, partitions]) => ({ subtopologyId, partitions: inOrder(partitions.keys()) }))
    .sort(bySubtopology);
}

export function allTaskIds({ active, standby, warmup }: TaskAssignment | HeldAssignment): {
  activeTasks: TaskIds[];
  standbyTasks: TaskIds[];
  warmupTasks: TaskIds[];
} {
  return { activeTasks: taskIds(active), standbyTasks: taskIds(standby), warmupTasks: taskIds(warmup) };
}

export function bySubtopology(a: { readonly subtopologyId: string }, b: { readonly subtopologyId: string }): number {
  return a.subtopologyId < b.subtopologyId ? -1 : a.subtopologyId > b.subtopologyId ? 1 : 0;
}

export function inOrder(partitions: Iterable<number>): number[] {
  return [...partitions].sort((a, b) => a - b);
}

export function hasTask(tasks: Tasks | HeldTasks, subtopologyId: string, partition: number): boolean {
  return tasks.get(subtopologyId)?.has(partition) === true;
}

export function hasNoTasks({ active, standby, warmup }: TaskAssignment | HeldAssignment): boolean {
  return active.size === 0 && standby.size === 0 && warmup.size === 0;
}

export function sameTasks(a: Tasks, b: Tasks): boolean {
  return a.size === b.size && [...a].every(([id, partitions]) => sameSet(partitions, b.get(id)));
}

export function sameAssignment(a: TaskAssignment, b: TaskAssignment): boolean {
  return sameTasks(a.active, b.active) && sameTasks(a.standby, b.standby) && sameTasks(a.warmup, b.warmup);
}

export function sameHeld(a: HeldAssignment, b: HeldAssignment): boolean {
  const sameActive =
    a.active.size === b.active.size &&
    [...a.active].every(([id, partitions]) => {
      const others = b.active.get(id);
      return others?.size === partitions.size && [...partitions].every(([one, epoch]) => others.get(one) === epoch);
    });
  return sameActive && sameTasks(a.standby, b.standby) && sameTasks(a.warmup, b.warmup);
}

/** Some task is in both, in the same role. */
export function overlaps(a: TaskAssignment, b: HeldAssignment): boolean {
  const meet = (one: Tasks, other: Tasks | HeldTasks): boolean =>
    [...one].some(([id, partitions]) => [...partitions].some((partition) => hasTask(other, id, partition)));
  return meet(a.active, b.active) || meet(a.standby, b.standby) || meet(a.warmup, b.warmup);
}

function sameSet(a: ReadonlySet<number>, b: ReadonlySet<number> | undefined): boolean {
  return a.size === b?.size && [...a].every((one) => b.has(one));
}
