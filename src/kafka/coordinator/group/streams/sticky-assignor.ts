import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import { JavaPriorityQueue } from './java-priority-queue.ts';
import { ProcessLoad, type Role, type Task, taskKey } from './process-load.ts';
import { hasTask, type TaskAssignment, type Tasks } from './tasks.ts';

/** A member as the assignor sees it: what it has now, and what it has on disk. */
export interface AssignedMember {
  readonly id: string;
  readonly processId: string;
  readonly active: Tasks;
  readonly standby: Tasks;
  /** Sums of changelog offsets by subtopology and partition, as the member last told them. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

export interface AssignedSubtopology {
  readonly id: string;
  readonly taskCount: number;
  readonly isStateful: boolean;
}

interface Place {
  readonly memberId: string;
  readonly process: ProcessLoad;
}

interface Candidate extends Place {
  readonly isStandby: boolean;
  readonly offset: number;
}

/**
 * Who has a task keeps it, else who stands by for it or has its state on disk gets it, else who has the least to do; no member gets
 * more than its part. Standby tasks go the same way, to processes that do not have the task yet (`StickyTaskAssignor`).
 */
export function assignSticky(
  members: readonly AssignedMember[],
  subtopologies: readonly AssignedSubtopology[],
  standbyCount: number,
): Map<string, TaskAssignment> {
  const assigning = new StickyAssignment(members, subtopologies, standbyCount);
  assigning.assignActive(subtopologies.flatMap(tasksIn));
  const stateful = subtopologies.filter(({ isStateful }) => isStateful);
  if (standbyCount > 0) assigning.assignStandby(stateful.flatMap(tasksIn), standbyCount);
  return assigning.result();
}

function tasksIn({ id, taskCount }: AssignedSubtopology): Task[] {
  return Array.from({ length: taskCount }, (_, partition) => ({ subtopologyId: id, partition }));
}

const byName = (a: Task, b: Task): number =>
  a.subtopologyId === b.subtopologyId ? 0 : a.subtopologyId < b.subtopologyId ? -1 : 1;
const byPartitionFirst = (a: Task, b: Task): number => a.partition - b.partition || byName(a, b);
const bySubtopologyFirst = (a: Task, b: Task): number => byName(a, b) || a.partition - b.partition;

/** How many tasks a member may have; it falls as members fill up. */
class Quota {
  #tasks: number;
  #members: number;
  perMember = 0;

  constructor(tasks: number, members: number) {
    this.#tasks = tasks;
    this.#members = members;
    this.#divide();
  }

  /** A member has this many now. */
  given(count: number): void {
    if (count !== this.perMember) return;
    this.#members -= 1;
    this.#tasks -= count;
    this.#divide();
  }

  #divide(): void {
    this.perMember = this.#members === 0 ? 0 : Math.ceil(this.#tasks / this.#members);
  }
}

class StickyAssignment {
  readonly #members: readonly AssignedMember[];
  readonly #processes: readonly ProcessLoad[];
  readonly #placeOf = new Map<string, Place>();
  readonly #holders = new Map<string, Place>();
  /** Who could take a task over, the best first. */
  readonly #candidates = new Map<string, Candidate[]>();
  readonly #activeQuota: Quota;
  readonly #totalQuota: Quota;

  constructor(members: readonly AssignedMember[], subtopologies: readonly AssignedSubtopology[], standbyCount: number) {
    this.#members = hashOrder(members, ({ id }) => stringHash(id), grownBuckets);
    const processes = new Map<string, ProcessLoad>();
    for (const member of this.#members) {
      const process = processes.get(member.processId) ?? new ProcessLoad(member.processId);
      processes.set(member.processId, process);
      process.addMember(member.id);
      const place = { memberId: member.id, process };
      this.#placeOf.set(member.id, place);
      for (const task of each(member.active)) this.#holders.set(taskKey(task), place);
      this.#collect(member, place);
    }
    for (const candidates of this.#candidates.values()) {
      candidates.sort((a, b) => Number(b.isStandby) - Number(a.isStandby) || b.offset - a.offset);
    }
    const buckets = bucketsAfter(this.#members.map(({ processId }) => processId));
    const newestFirst = [...processes.values()].reverse();
    this.#processes = hashOrder(
      newestFirst,
      ({ id }) => stringHash(id),
      () => buckets,
    );
    let active = 0;
    let total = 0;
    for (const { taskCount, isStateful } of subtopologies) {
      active += taskCount;
      total += taskCount * (isStateful ? 1 + standbyCount : 1);
    }
    this.#activeQuota = new Quota(active, members.length);
    this.#totalQuota = new Quota(total, members.length);
  }

  #collect({ standby, offsets }: AssignedMember, place: Place): void {
    for (const task of each(standby)) {
      const offset = offsets.get(task.subtopologyId)?.get(task.partition) ?? 0;
      this.#addCandidate(task, { ...place, isStandby: true, offset });
    }
    for (const [subtopologyId, partitions] of offsets) {
      for (const [partition, offset] of partitions) {
        if (hasTask(standby, subtopologyId, partition)) continue;
        this.#addCandidate({ subtopologyId, partition }, { ...place, isStandby: false, offset });
      }
    }
  }

  #addCandidate(task: Task, candidate: Candidate): void {
    const known = this.#candidates.get(taskKey(task));
    if (known === undefined) this.#candidates.set(taskKey(task), [candidate]);
    else known.push(candidate);
  }

  assignActive(tasks: Task[]): void {
    let left = tasks.sort(byPartitionFirst);
    const keep = (placeFor: (task: Task) => Place | undefined): void => {
      left = left.filter((task) => {
        const place = placeFor(task);
        if (place === undefined || place.process.countOf(place.memberId) >= this.#activeQuota.perMember) return true;
        this.#count(place.process.give(place.memberId, task, 'active'), 'active');
        return false;
      });
    };
    keep((task) => this.#holders.get(taskKey(task)));
    keep((task) => this.#leastLoaded(this.#candidates.get(taskKey(task)) ?? []));
    const queue = this.#queue();
    for (const task of left.sort(bySubtopologyFirst)) {
      const process = queue.poll()!;
      this.#count(process.giveToLeastLoaded(task, 'active'), 'active');
      queue.add(process);
    }
  }

  assignStandby(tasks: Task[], replicas: number): void {
    const rest: { readonly task: Task; readonly replicas: number }[] = [];
    for (const task of tasks.sort((a, b) => byPartitionFirst(b, a))) {
      for (let index = 0; index < replicas; index += 1) {
        const place = this.#standbyPlace(task);
        if (place === undefined) {
          rest.push({ task, replicas: replicas - index });
          break;
        }
        this.#count(place.process.give(place.memberId, task, 'standby'), 'standby');
      }
    }
    const queue = this.#queue();
    rest.sort((a, b) => bySubtopologyFirst(b.task, a.task));
    for (const { task, replicas: count } of rest) {
      // Where too few processes are there, a task has fewer standbys.
      for (let index = 0; index < count && this.#giveStandby(queue, task); index += 1);
    }
  }

  /** Who had it as active, else who stood by for it, unless its process has it or it has enough to do. */
  #standbyPlace(task: Task): Place | undefined {
    const hasRoom = (place: Place): boolean => place.process.countOf(place.memberId) < this.#totalQuota.perMember;
    const holder = this.#holders.get(taskKey(task));
    if (holder !== undefined && !holder.process.has(task) && hasRoom(holder)) return holder;
    const candidate = this.#leastLoaded(this.#candidates.get(taskKey(task)) ?? [], task);
    return candidate !== undefined && hasRoom(candidate) ? candidate : undefined;
  }

  #giveStandby(queue: JavaPriorityQueue<ProcessLoad>, task: Task): boolean {
    const process = queue.poll();
    if (process === undefined) return false;
    let isGiven = false;
    if (!process.has(task)) {
      this.#count(process.giveToLeastLoaded(task, 'standby'), 'standby');
      isGiven = true;
    } else if (queue.size > 0) isGiven = this.#giveStandby(queue, task);
    queue.add(process);
    return isGiven;
  }

  #count(count: number, role: Role): void {
    if (role === 'active') this.#activeQuota.given(count);
    this.#totalQuota.given(count);
  }

  #queue(): JavaPriorityQueue<ProcessLoad> {
    const queue = new JavaPriorityQueue<ProcessLoad>(({ load }) => load);
    for (const process of this.#processes) queue.add(process);
    return queue;
  }

  /** The first unless another's process and member both have less to do. */
  #leastLoaded(candidates: readonly Candidate[], standby?: Task): Place | undefined {
    let best: Place | undefined;
    for (const candidate of candidates) {
      const { process, memberId } = candidate;
      if (standby !== undefined && process.has(standby)) continue;
      const isBetter =
        best === undefined ||
        (process.load < best.process.load && process.countOf(memberId) < best.process.countOf(best.memberId));
      if (isBetter) best = candidate;
    }
    return best;
  }

  result(): Map<string, TaskAssignment> {
    return new Map(
      this.#members.map(({ id }) => {
        const given = this.#placeOf.get(id)!.process.given(id);
        return [id, { active: compact(given.active), standby: compact(given.standby), warmup: new Map() }];
      }),
    );
  }
}

function* each(tasks: Tasks): IterableIterator<Task> {
  for (const [subtopologyId, partitions] of tasks)
    for (const partition of partitions) yield { subtopologyId, partition };
}

function compact(tasks: readonly Task[]): Tasks {
  const compacted = new Map<string, Set<number>>();
  for (const { subtopologyId, partition } of tasks) {
    const partitions = compacted.get(subtopologyId) ?? new Set();
    compacted.set(subtopologyId, partitions.add(partition));
  }
  return compacted;
}

/**
 * Buckets of a `HashMap` that was made for as many keys as are asked for, with `computeIfAbsent`: it grows only before the next
 * question, and puts what is new at the head of its bucket.
 */
function bucketsAfter(keys: readonly string[]): number {
  const known = new Set<string>();
  let buckets = 1;
  while (buckets < keys.length) buckets *= 2;
  for (const key of keys) {
    if (known.size > Math.floor(buckets * 0.75)) buckets *= 2;
    known.add(key);
  }
  return buckets;
}
