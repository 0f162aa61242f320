import type { Family } from '../../../observability/exposition.ts';
import type { GroupCoordinator } from '../../coordinator/group/group-coordinator.ts';
import type { TransactionCoordinator } from '../../coordinator/transaction/transaction-coordinator.ts';
import { gauge } from './family.ts';

const ofGroups = { group: 'coordinator_group', type: 'GroupMetadataManager' } as const;
const ofMarkers = { group: 'coordinator_transaction', type: 'TransactionMarkerChannelManager' } as const;

/** States of groups whose members bring their assignment along (`GroupMetadataManager`); its groups and offsets are all. */
export function* coordinatorFamilies(
  groups: GroupCoordinator,
  transactions: TransactionCoordinator,
): Generator<Family> {
  const { groupCount, offsetCount, byState } = groups.count();
  yield gauge({ ...ofGroups, name: 'NumOffsets' }, offsetCount);
  yield gauge({ ...ofGroups, name: 'NumGroups' }, groupCount);
  for (const [state, count] of Object.entries(byState)) yield gauge({ ...ofGroups, name: `NumGroups${state}` }, count);
  yield gauge({ ...ofMarkers, name: 'UnknownDestinationQueueSize' }, transactions.homelessMarkerCount);
}
