import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import { JavaPriorityQueue } from './java-priority-queue.ts';

export interface Task {
  readonly subtopologyId: string;
  readonly partition: number;
}

export type Role = 'active' | 'standby';

export function taskKey({ subtopologyId, partition }: Task): string {
  return `${partition} ${subtopologyId}`;
}

interface Share {
  readonly memberId: string;
  /** As when it was last put into the heap: that is what the heap is ordered by. */
  count: number;
}

/** The members of one process, and what they have been given so far (`ProcessState`). A process has a task once. */
export class ProcessLoad {
  readonly id: string;
  readonly #counts = new Map<string, number>();
  readonly #tasks = new Set<string>();
  readonly #given = new Map<string, Record<Role, Task[]>>();
  #taskCount = 0;
  #byLoad: JavaPriorityQueue<Share> | undefined;

  constructor(id: string) {
    this.id = id;
  }

  addMember(memberId: string): void {
    this.#counts.set(memberId, 0);
    this.#given.set(memberId, { active: [], standby: [] });
  }

  /** Tasks per member. */
  get load(): number {
    return this.#taskCount / this.#counts.size;
  }

  countOf(memberId: string): number {
    return this.#counts.get(memberId)!;
  }

  has(task: Task): boolean {
    return this.#tasks.has(taskKey(task));
  }

  given(memberId: string): Readonly<Record<Role, readonly Task[]>> {
    return this.#given.get(memberId)!;
  }

  /** Answers how many tasks the member has now. */
  give(memberId: string, task: Task, role: Role): number {
    this.#byLoad = undefined;
    return this.#add(memberId, task, role);
  }

  giveToLeastLoaded(task: Task, role: Role): number {
    if (this.#counts.size === 1) return this.#add([...this.#counts.keys()][0]!, task, role);
    this.#byLoad ??= this.#queue();
    const share = this.#byLoad.poll()!;
    share.count = this.#add(share.memberId, task, role);
    this.#byLoad.add(share);
    return share.count;
  }

  #queue(): JavaPriorityQueue<Share> {
    const queue = new JavaPriorityQueue<Share>(({ count }) => count);
    const members = hashOrder(this.#counts, ([memberId]) => stringHash(memberId), grownBuckets);
    for (const [memberId, count] of members) queue.add({ memberId, count });
    return queue;
  }

  #add(memberId: string, task: Task, role: Role): number {
    this.#taskCount += 1;
    this.#tasks.add(taskKey(task));
    this.#given.get(memberId)![role].push(task);
    const count = this.countOf(memberId) + 1;
    this.#counts.set(memberId, count);
    return count;
  }
}
