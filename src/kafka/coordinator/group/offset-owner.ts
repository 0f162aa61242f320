import type { InFlight, TopicPartition } from './clean-up.ts';
import type { DurableState } from './durable-state.ts';
import type { GroupRecord } from './group-records.ts';

/** A group whose members the broker assigns, as far as its committed offsets are concerned. */
export interface OffsetOwner {
  readonly id: string;
  readonly memberCount: number;
  isSubscribed(topic: string): boolean;
  /** All records of the group but its offsets. */
  tombstones(): readonly GroupRecord[];
}

/** Offsets of topics that nobody of the group subscribes to, each by the time of its own commit. */
export function expiredOwnedOffsets(
  owner: OffsetOwner,
  state: DurableState,
  inFlight: InFlight,
  { nowMs, retentionMs }: { readonly nowMs: number; readonly retentionMs: number },
): TopicPartition[] {
  const recommitted = new Set(inFlight.offsets.map(({ topic, partition }) => `${partition} ${topic}`));
  const expired: TopicPartition[] = [];
  for (const { topic, partition, value } of state.offsets(owner.id)) {
    const isDue =
      value.expireTimestampMs === -1
        ? nowMs - value.commitTimestampMs >= retentionMs
        : nowMs >= value.expireTimestampMs;
    if (!isDue || owner.isSubscribed(topic)) continue;
    if (recommitted.has(`${partition} ${topic}`) || state.isPending(owner.id, topic, partition)) continue;
    expired.push({ topic, partition });
  }
  return expired;
}

/** Forgets offsets, and leaves the group even when they were its last. Changes nothing. */
export function forgetOwnedOffsets(groupId: string, offsets: readonly TopicPartition[]): GroupRecord[] {
  const distinct = new Map(offsets.map((one) => [`${one.partition} ${one.topic}`, one]));
  return Array.from(distinct.values(), ({ topic, partition }) => {
    return { kind: 'offset', group: groupId, topic, partition, value: null };
  });
}

/** Forgets offsets that have expired, and an empty group with its last one. Changes nothing. */
export function expireOwnedOffsets(
  owner: OffsetOwner,
  state: DurableState,
  inFlight: InFlight,
  offsets: readonly TopicPartition[],
): GroupRecord[] {
  const forgotten = new Set(offsets.map(({ topic, partition }) => `${partition} ${topic}`));
  const remains =
    inFlight.offsets.length > 0 ||
    state.hasPending(owner.id) ||
    [...state.offsets(owner.id)].some(({ topic, partition }) => !forgotten.has(`${partition} ${topic}`));
  const records = forgetOwnedOffsets(owner.id, offsets);
  return remains || owner.memberCount > 0 ? records : [...records, ...owner.tombstones()];
}

/** Forgets a group with all that it has. Changes nothing. */
export function deleteOwner(owner: OffsetOwner, state: DurableState): GroupRecord[] {
  const offsets = [...state.offsets(owner.id), ...state.pendingOffsets(owner.id)];
  return [...forgetOwnedOffsets(owner.id, offsets), ...owner.tombstones()];
}
