import type { Assignment } from '../assignment.ts';
import type { AssignableGroup } from './assignor.ts';

interface TopicRanges {
  readonly partitionCount: number;
  memberCount: number;
  extra: number;
  next: number;
}

/** Each member gets a contiguous range of each topic: members with equal places in their order get equal partitions. */
export function assignRanges(group: AssignableGroup): Map<string, Assignment> {
  const memberIds = inOrder(group);
  const topics = new Map<string, TopicRanges>();
  for (const memberId of memberIds) {
    for (const topicId of group.members.get(memberId)!.topicIds) {
      const topic = topics.get(topicId);
      if (topic !== undefined) topic.memberCount += 1;
      else topics.set(topicId, { partitionCount: group.partitionCount(topicId), memberCount: 1, extra: 0, next: 0 });
    }
  }
  for (const topic of topics.values()) topic.extra = topic.partitionCount % topic.memberCount;
  return new Map(
    memberIds.map((memberId) => {
      const assignment = new Map<string, number[]>();
      for (const topicId of group.members.get(memberId)!.topicIds) {
        const range = nextRange(topics.get(topicId)!);
        if (range.length > 0) assignment.set(topicId, range);
      }
      return [memberId, assignment];
    }),
  );
}

function nextRange(topic: TopicRanges): number[] {
  const size = Math.floor(topic.partitionCount / topic.memberCount) + (topic.extra > 0 ? 1 : 0);
  if (topic.extra > 0) topic.extra -= 1;
  const start = topic.next;
  topic.next = Math.min(start + size, topic.partitionCount);
  return Array.from({ length: topic.next - start }, (_, index) => start + index);
}

/** Static members first, by instance id, so that a restart changes nothing. */
function inOrder({ members }: AssignableGroup): string[] {
  return [...members.keys()].sort((a, b) => {
    const [first, second] = [members.get(a)!.instanceId, members.get(b)!.instanceId];
    if (first !== null && second !== null) return compare(first, second);
    if (first !== null) return -1;
    return second !== null ? 1 : compare(a, b);
  });
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
