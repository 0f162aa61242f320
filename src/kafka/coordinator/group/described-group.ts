import { ErrorCode } from '../../protocol/errors.ts';
import type { TopicImage } from './consumer/topic-image.ts';

/** How the description of a group begins that has epochs: consumer, share and streams groups. */
export interface DescribedHead {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
}

interface EpochGroup {
  readonly id: string;
  readonly state: string;
  readonly epoch: number;
  readonly targetEpoch: number;
}

export function headOf({ id, state, epoch, targetEpoch }: EpochGroup): DescribedHead {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: id,
    groupState: state,
    groupEpoch: epoch,
    assignmentEpoch: targetEpoch,
  };
}

export function refusedHead(groupId: string, errorCode: number, errorMessage: string | null): DescribedHead {
  return { errorCode, errorMessage, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0 };
}

/** Why there is no such group of this kind: none at all, or one of another kind. */
export function whyNoGroup(groupId: string, kind: 'consumer' | 'share' | 'streams', isTaken: boolean): string {
  return `Group ${groupId} ${isTaken ? `is not a ${kind} group` : 'not found'}.`;
}

interface NamedPartitions {
  topicId: string;
  topicName: string;
  partitions: number[];
}

/** Without topics that are gone. */
export function namedPartitions(
  assignment: ReadonlyMap<string, readonly number[]>,
  image: TopicImage,
): NamedPartitions[] {
  return Array.from(assignment, ([topicId, partitions]) => ({
    topicId,
    topicName: image.nameOf(topicId) ?? '',
    partitions: [...partitions],
  })).filter(({ topicName }) => topicName !== '');
}
