import type { Assignment } from '../assignment.ts';
import { copiedBuckets, hashOrder, uuidHash } from '../java-order.ts';
import type { AssignableGroup } from './assignor.ts';
import { assignUniformlyByTopic } from './uniform-heterogeneous.ts';

/** Spreads partitions evenly and moves as few as it can. */
export function assignUniformly(group: AssignableGroup): Map<string, Assignment> {
  if (group.members.size === 0) return new Map();
  return group.isHomogeneous ? new Homogeneous(group).assign() : assignUniformlyByTopic(group);
}

interface Place {
  readonly topicId: string;
  readonly partition: number;
}

/** All members subscribe to the same topics: each gets its quota of all partitions taken together. */
class Homogeneous {
  readonly #group: AssignableGroup;
  readonly #topicIds: readonly string[];
  readonly #unassigned: Place[] = [];
  readonly #unfilled: { readonly assignment: Map<string, number[]>; readonly room: number }[] = [];
  readonly #result = new Map<string, Map<string, number[]>>();

  constructor(group: AssignableGroup) {
    this.#group = group;
    const [first] = group.members.values();
    this.#topicIds = hashOrder(first!.topicIds, uuidHash, copiedBuckets);
  }

  assign(): Map<string, Assignment> {
    if (this.#topicIds.length === 0) return new Map();
    let total = 0;
    for (const topicId of this.#topicIds) {
      const count = this.#group.partitionCount(topicId);
      total += count;
      for (let partition = 0; partition < count; partition += 1) {
        if (!this.#group.isAssigned(topicId, partition)) this.#unassigned.push({ topicId, partition });
      }
    }
    this.#keepWithinQuota(total);
    const rest = this.#unassigned.values();
    for (const { assignment, room } of this.#unfilled) {
      for (let index = 0; index < room; index += 1) {
        const next = rest.next();
        if (next.done === true) break;
        add(assignment, next.value);
      }
    }
    return this.#result;
  }

  /** What a member has stays with it up to its quota, which for some is one more than for the others. */
  #keepWithinQuota(total: number): void {
    const count = this.#group.members.size;
    const least = Math.floor(total / count);
    let extra = total % count;
    let left = count;
    for (const [memberId, { assignment }] of this.#group.members) {
      let hasExtra = extra > 0;
      const kept = new Map<string, number[]>();
      let room = this.#keep(assignment, least + (hasExtra ? 1 : 0), kept);
      // Without using it, a member leaves the larger quota to another, unless there are no others left for it.
      if (room > 0 && hasExtra && left > extra) {
        room -= 1;
        hasExtra = false;
      }
      if (room > 0) this.#unfilled.push({ assignment: kept, room });
      if (hasExtra) extra -= 1;
      left -= 1;
      this.#result.set(memberId, kept);
    }
  }

  /** Answers how much room is left. */
  #keep(assignment: Assignment, quota: number, kept: Map<string, number[]>): number {
    let room = quota;
    const subscribed = new Set(this.#topicIds);
    for (const [topicId, partitions] of assignment) {
      if (!subscribed.has(topicId)) continue;
      const stay = partitions.slice(0, room);
      room -= stay.length;
      if (stay.length > 0) kept.set(topicId, stay);
      for (const partition of partitions.slice(stay.length)) this.#unassigned.push({ topicId, partition });
    }
    return room;
  }
}

function add(assignment: Map<string, number[]>, { topicId, partition }: Place): void {
  const partitions = assignment.get(topicId);
  if (partitions === undefined) assignment.set(topicId, [partition]);
  else partitions.push(partition);
}
