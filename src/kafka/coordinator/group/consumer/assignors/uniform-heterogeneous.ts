import type { Assignment } from '../assignment.ts';
import type { AssignableGroup } from './assignor.ts';
import { Balancer } from './balancer.ts';

/** Rounds over all topics before an uneven assignment is taken as it is: each about halves the difference. */
const ROUNDS_MAX = 16;
const NOBODY = -1;

/** Members subscribe to different topics: partitions go, topic by topic, to whoever has the fewest of its subscribers. */
export function assignUniformlyByTopic(group: AssignableGroup): Map<string, Assignment> {
  return new Heterogeneous(group).assign();
}

class Heterogeneous {
  readonly #group: AssignableGroup;
  readonly #memberIds: readonly string[];
  /** Indices of members, ascending. */
  readonly #subscribers = new Map<string, number[]>();
  /** For each topic the member index of each partition. */
  readonly #owners = new Map<string, Int32Array>();
  readonly #loads: Int32Array;

  constructor(group: AssignableGroup) {
    this.#group = group;
    this.#memberIds = [...group.members.keys()];
    this.#loads = new Int32Array(this.#memberIds.length);
    for (const [index, memberId] of this.#memberIds.entries()) {
      for (const topicId of group.members.get(memberId)!.topicIds) {
        const known = this.#subscribers.get(topicId);
        if (known !== undefined) known.push(index);
        else this.#subscribers.set(topicId, [index]);
      }
    }
    for (const topicId of this.#subscribers.keys()) {
      this.#owners.set(topicId, new Int32Array(group.partitionCount(topicId)).fill(NOBODY));
    }
  }

  assign(): Map<string, Assignment> {
    if (this.#subscribers.size === 0) return new Map();
    this.#keep();
    this.#handOut();
    this.#balance();
    return this.#result();
  }

  /** Whoever still subscribes keeps what it was to have. */
  #keep(): void {
    for (const [index, memberId] of this.#memberIds.entries()) {
      const { topicIds, assignment } = this.#group.members.get(memberId)!;
      const subscribed = new Set(topicIds);
      for (const [topicId, partitions] of assignment) {
        if (!subscribed.has(topicId)) continue;
        for (const partition of partitions) this.#give(topicId, partition, index);
      }
    }
  }

  #handOut(): void {
    const free = [...this.#owners].filter(([, owners]) => owners.includes(NOBODY)).map(([topicId]) => topicId);
    for (const topicId of this.#inOrder(free)) {
      const owners = this.#owners.get(topicId)!;
      const balancer = new Balancer(this.#subscribers.get(topicId)!, this.#loads);
      for (const [partition, owner] of owners.entries()) {
        if (owner === NOBODY) this.#give(topicId, partition, balancer.nextLeastLoaded());
      }
    }
  }

  #balance(): void {
    const shared = [...this.#subscribers].filter(([, members]) => members.length >= 2).map(([topicId]) => topicId);
    const topicIds = this.#inOrder(shared);
    let lastMoved = -1;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      for (const [index, topicId] of topicIds.entries()) {
        if (index === lastMoved) return; // once around without a move
        if (this.#balanceTopic(topicId) > 0 || lastMoved === -1) lastMoved = index;
      }
    }
  }

  /** Moves the last partitions of those who have most to those who have least; answers how many. */
  #balanceTopic(topicId: string): number {
    const balancer = new Balancer(this.#subscribers.get(topicId)!, this.#loads);
    if (balancer.imbalance <= 1) return 0;
    const owned = this.#byOwner(topicId);
    let moved = 0;
    while (!balancer.isBalanced) {
      let giver = balancer.nextMostLoaded();
      while (giver !== NOBODY && (owned.get(giver)?.length ?? 0) === 0) {
        balancer.excludeMostLoaded();
        giver = balancer.nextMostLoaded();
      }
      if (giver === NOBODY) break;
      const partition = owned.get(giver)!.pop()!;
      const taker = balancer.nextLeastLoaded();
      if (balancer.isBalanced) break;
      this.#give(topicId, partition, taker);
      moved += 1;
    }
    return moved;
  }

  #byOwner(topicId: string): Map<number, number[]> {
    const owned = new Map<number, number[]>();
    for (const [partition, owner] of this.#owners.get(topicId)!.entries()) {
      const partitions = owned.get(owner);
      if (partitions !== undefined) partitions.push(partition);
      else owned.set(owner, [partition]);
    }
    return owned;
  }

  #give(topicId: string, partition: number, memberIndex: number): void {
    const owners = this.#owners.get(topicId)!;
    const former = owners[partition]!;
    if (former !== NOBODY) this.#loads[former]! -= 1;
    owners[partition] = memberIndex;
    this.#loads[memberIndex]! += 1;
  }

  /** Most partitions for each subscriber first, then fewest subscribers, then by id. */
  #inOrder(topicIds: readonly string[]): string[] {
    const share = (topicId: string): number =>
      this.#group.partitionCount(topicId) / this.#subscribers.get(topicId)!.length;
    return [...topicIds].sort(
      (a, b) =>
        share(b) - share(a) ||
        this.#subscribers.get(a)!.length - this.#subscribers.get(b)!.length ||
        compareUuids(a, b),
    );
  }

  #result(): Map<string, Assignment> {
    const result = new Map<string, Map<string, number[]>>(this.#memberIds.map((memberId) => [memberId, new Map()]));
    for (const [topicId, owners] of this.#owners) {
      for (const [partition, owner] of owners.entries()) {
        if (owner === NOBODY) continue;
        const assignment = result.get(this.#memberIds[owner]!)!;
        const partitions = assignment.get(topicId);
        if (partitions !== undefined) partitions.push(partition);
        else assignment.set(topicId, [partition]);
      }
    }
    return result;
  }
}

/** `Uuid.compareTo`: the two halves as signed numbers. */
function compareUuids(a: string, b: string): number {
  const [one, other] = [Buffer.from(a, 'base64url'), Buffer.from(b, 'base64url')];
  for (const at of [0, 8]) {
    const [left, right] = [one.readBigInt64BE(at), other.readBigInt64BE(at)];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
