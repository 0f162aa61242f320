import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import type { Assignment } from './share-group.ts';

export interface AssignedMember {
  readonly id: string;
  /** Ids of the topics that it wants. */
  readonly topicIds: ReadonlySet<string>;
  readonly former: Assignment;
}

interface Place {
  readonly topicId: string;
  readonly partition: number;
}

/**
 * The only assignor of share groups (`SimpleAssignor`). A partition may have many members, so each member gets one at least, and each
 * partition has a member at least; who has partitions keeps them as far as that is even. Members that want the same topics share
 * these among them; otherwise topic by topic.
 */
export function assignSimply(
  members: readonly AssignedMember[],
  partitionsOf: (topicId: string) => readonly number[],
): Map<string, Map<string, number[]>> {
  const ordered = hashOrder(members, ({ id }) => stringHash(id), grownBuckets);
  const wanted = new Map<string, string[]>();
  for (const { id, topicIds } of ordered) {
    for (const topicId of topicIds) wanted.set(topicId, [...(wanted.get(topicId) ?? []), id]);
  }
  // Topics with the same subscribers are shared out together.
  const pools = new Map<string, { readonly members: readonly string[]; readonly places: Place[] }>();
  for (const [topicId, ids] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = JSON.stringify(ids);
    const pool = pools.get(key) ?? { members: ids, places: [] };
    pools.set(key, pool);
    for (const partition of partitionsOf(topicId)) pool.places.push({ topicId, partition });
  }
  const former = new Map(members.map((member) => [member.id, member.former]));
  const result = new Map(members.map(({ id }) => [id, new Map<string, number[]>()]));
  for (const pool of pools.values()) share(pool, former, result);
  return result;
}

function share(
  { members, places }: { readonly members: readonly string[]; readonly places: readonly Place[] },
  former: ReadonlyMap<string, Assignment>,
  result: ReadonlyMap<string, Map<string, number[]>>,
): void {
  if (places.length === 0) return;
  const total = Math.max(places.length, members.length);
  const quota = (index: number): number => even(total, members.length, index);
  const taken = places.map(() => 0);
  const capacity = (index: number): number => even(total, places.length, index);
  const chosen = members.map((id, index) => {
    const has = ({ topicId, partition }: Place): boolean => former.get(id)?.get(topicId)?.includes(partition) === true;
    const kept: number[] = [];
    // The last are kept: the first go to who joins.
    for (let at = places.length - 1; at >= 0 && kept.length < quota(index); at -= 1) {
      if (!has(places[at]!) || taken[at]! >= capacity(at)) continue;
      taken[at]! += 1;
      kept.unshift(at);
    }
    return kept;
  });
  let next = 0;
  for (const [index, kept] of chosen.entries()) {
    for (let looked = 0; kept.length < quota(index) && looked < places.length; looked += 1) {
      const at = next % places.length;
      if (taken[at]! < capacity(at) && !kept.includes(at)) {
        taken[at]! += 1;
        kept.push(at);
      }
      next += 1;
    }
    const assignment = result.get(members[index]!)!;
    for (const at of kept.sort((a, b) => a - b)) {
      const { topicId, partition } = places[at]!;
      assignment.set(topicId, [...(assignment.get(topicId) ?? []), partition]);
    }
  }
}

/** The part of one of so many who share: the first get what is left over. */
function even(total: number, count: number, index: number): number {
  return Math.floor(total / count) + (index < total % count ? 1 : 0);
}
