import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { bySubtopology } from './tasks.ts';

/** Sums of changelog offsets by subtopology and partition. */
export type OffsetSums = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** How far a member's copies of state are, as it last told; the log does not hold it. */
export interface TaskOffsets {
  readonly offsets: OffsetSums;
  readonly endOffsets: OffsetSums;
}

export const NO_OFFSETS: TaskOffsets = { offsets: new Map(), endOffsets: new Map() };

type Told = Pick<StreamsGroupHeartbeatRequest, 'taskOffsets' | 'taskEndOffsets'>;
type TaskOffset = NonNullable<Told['taskOffsets']>[number];

/** What is not told stays as it was. @throws KafkaError INVALID_REQUEST for a task that is named twice */
export function withTold(known: TaskOffsets, { taskOffsets, taskEndOffsets }: Told): TaskOffsets {
  if (taskOffsets === null && taskEndOffsets === null) return known;
  return {
    offsets: taskOffsets === null ? known.offsets : sumsOf(taskOffsets),
    endOffsets: taskEndOffsets === null ? known.endOffsets : sumsOf(taskEndOffsets),
  };
}

function sumsOf(told: readonly TaskOffset[]): OffsetSums {
  const sums = new Map<string, Map<number, number>>();
  for (const { subtopologyId, partition, offset } of told) {
    const partitions = sums.get(subtopologyId) ?? new Map<number, number>();
    if (partitions.has(partition)) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        `Task offsets contain a duplicate entry for subtopology ${subtopologyId} and partition ${partition}.`,
      );
    }
    sums.set(subtopologyId, partitions.set(partition, offset));
  }
  return sums;
}

/** By subtopology and partition. */
export function offsetList(sums: OffsetSums): TaskOffset[] {
  return [...sums]
    .flatMap(([subtopologyId, partitions]) =>
      Array.from(partitions, ([partition, offset]) => ({ subtopologyId, partition, offset })),
    )
    .sort((a, b) => bySubtopology(a, b) || a.partition - b.partition);
}
