import { ErrorCode } from '../../protocol/errors.ts';
import type { GroupState } from './classic-group.ts';
import type { GroupPartition } from './group-partition.ts';

/** What the groups of a coordinator are like now (`GroupMetadataManager`'s gauges). */
export interface GroupCounts {
  /** Of every protocol. */
  readonly groupCount: number;
  readonly offsetCount: number;
  /** Of classic groups. */
  readonly byState: { readonly [S in GroupState]: number };
}

export function countGroups(partitions: Iterable<GroupPartition>): GroupCounts {
  const byState = { PreparingRebalance: 0, CompletingRebalance: 0, Stable: 0, Dead: 0, Empty: 0 };
  let groupCount = 0;
  let offsetCount = 0;
  for (const { errorCode, groups, state } of partitions) {
    if (errorCode !== ErrorCode.NONE) continue;
    groupCount += groups.size + state.consumerGroups.size + state.shareGroups.size + state.streamsGroups.size;
    offsetCount += state.offsetCount;
    for (const group of groups.values()) byState[group.state] += 1;
  }
  return { groupCount, offsetCount, byState };
}
