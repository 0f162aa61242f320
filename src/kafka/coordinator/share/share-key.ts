import { ZERO_UUID } from '../../../wire/schema.ts';

/** A partition of a topic as one share group sees it (`SharePartitionKey`). */
export interface ShareKey {
  readonly groupId: string;
  readonly topicId: string;
  readonly partition: number;
}

/** What FindCoordinator asks for, and what decides which partition of `__share_group_state` keeps the state. */
export function coordinatorKeyOf({ groupId, topicId, partition }: ShareKey): string {
  return `${groupId}:${topicId}:${partition}`;
}

/** Undefined for a text that names no share partition. */
export function parseCoordinatorKey(text: string): ShareKey | undefined {
  const parts = text.split(':');
  const [groupId = '', topicId = '', partition = ''] = parts;
  const isKey =
    parts.length === 3 &&
    groupId.trim() !== '' &&
    topicId.length === ZERO_UUID.length &&
    /^[A-Za-z0-9_-]+$/.test(topicId) &&
    /^-?\d+$/.test(partition);
  return isKey ? { groupId, topicId, partition: Number(partition) } : undefined;
}
