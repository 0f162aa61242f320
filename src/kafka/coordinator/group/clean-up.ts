import type { ClassicGroup } from './classic-group.ts';
import type { DurableState } from './durable-state.ts';
import type { CommittedOffset, GroupRecord } from './group-records.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What is on its way into the log for one group. */
export interface InFlight {
  readonly offsets: readonly TopicPartition[];
  readonly metadata: boolean;
}

export interface CleanUp {
  /** Tombstones. */
  readonly records: readonly GroupRecord[];
  /** Nothing is left of the group: it ends once the tombstones are in the log. */
  readonly isGone: boolean;
}

/**
 * Offsets that nobody wants any more (KIP-186, KIP-211): those of an empty group when it has been empty for the retention time,
 * those of a stable group of consumers when it does not subscribe to the topic, those of clients without a group by themselves.
 */
export function expiredOffsets(
  group: ClassicGroup,
  state: DurableState,
  inFlight: InFlight,
  { nowMs, retentionMs }: { readonly nowMs: number; readonly retentionMs: number },
): TopicPartition[] {
  const baseMs = expiryBase(group);
  if (baseMs === undefined) return [];
  const subscribed = group.state === 'Stable' ? group.subscribedTopics : undefined;
  const expired: TopicPartition[] = [];
  const recommitted = new Set(inFlight.offsets.map(({ topic, partition }) => `${partition} ${topic}`));
  for (const { topic, partition, value } of state.offsets(group.id)) {
    const isDue =
      value.expireTimestampMs === NEVER ? nowMs - baseMs(value) >= retentionMs : nowMs >= value.expireTimestampMs;
    if (!isDue || subscribed?.has(topic) === true) continue;
    // A tombstone behind a commit that is under way would delete it.
    if (recommitted.has(`${partition} ${topic}`) || state.isPending(group.id, topic, partition)) continue;
    expired.push({ topic, partition });
  }
  return expired;
}

const NEVER = -1;

/** From when on an offset ages; undefined while none of the group does. */
function expiryBase(group: ClassicGroup): ((value: CommittedOffset) => number) | undefined {
  const byCommit = (value: CommittedOffset): number => value.commitTimestampMs;
  if (group.protocolType === null) return byCommit;
  if (group.state === 'Empty') return group.stateTimestampMs === NEVER ? byCommit : () => group.stateTimestampMs;
  const knowsTopics = group.isConsumerGroup && group.subscribedTopics !== undefined;
  return group.state === 'Stable' && knowsTopics ? byCommit : undefined;
}

/**
 * Forgets some offsets of a group, and the group itself if nothing else is left of it. Who has been given a member id and has not
 * joined with it yet does not keep it (`GroupMetadataManager.cleanupGroupMetadata`). Changes nothing.
 */
export function decideForget(
  group: ClassicGroup,
  state: DurableState,
  inFlight: InFlight,
  offsets: readonly TopicPartition[],
): CleanUp {
  const forgotten = new Set(offsets.map(({ topic, partition }) => `${partition} ${topic}`));
  const isThere = ({ topic, partition }: TopicPartition): boolean =>
    state.offset(group.id, topic, partition) !== undefined ||
    state.isPending(group.id, topic, partition) ||
    inFlight.offsets.some((one) => one.topic === topic && one.partition === partition);
  const isGone =
    group.state === 'Empty' &&
    inFlight.offsets.length === 0 &&
    !inFlight.metadata &&
    !state.hasPending(group.id) &&
    ![...state.offsets(group.id)].some(({ topic, partition }) => !forgotten.has(`${partition} ${topic}`));
  return { records: tombstones(group.id, offsets.filter(isThere), isGone && state.metadata.has(group.id)), isGone };
}

/** Forgets a group with all that it has, and what is on its way into the log. Changes nothing. */
export function decideDelete(group: ClassicGroup, state: DurableState, inFlight: InFlight): CleanUp {
  const offsets = [...state.offsets(group.id), ...state.pendingOffsets(group.id), ...inFlight.offsets];
  return { records: tombstones(group.id, offsets, inFlight.metadata || state.metadata.has(group.id)), isGone: true };
}

function tombstones(group: string, offsets: readonly TopicPartition[], metadata: boolean): GroupRecord[] {
  const records: GroupRecord[] = [];
  const seen = new Set<string>();
  for (const { topic, partition } of offsets) {
    if (seen.has(`${partition} ${topic}`)) continue;
    seen.add(`${partition} ${topic}`);
    records.push({ kind: 'offset', group, topic, partition, value: null });
  }
  if (metadata) records.push({ kind: 'metadata', group, value: null });
  return records;
}
