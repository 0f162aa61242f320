import { ErrorCode } from '../../../protocol/errors.ts';
import type { ShareGroupHeartbeatRequest } from '../../../protocol/messages/76-share-group-heartbeat.ts';
import { attempt } from '../consumer/consumer-requests.ts';
import { whyNoGroup } from '../described-group.ts';
import type { GroupClient } from '../join.ts';
import { type DescribedShareGroup, describeShareGroup, refusedShareGroup } from './describe-share.ts';
import { checkShareHeartbeat } from './share-decisions.ts';
import { type ShareGroups, type ShareHeartbeatAnswer, shareHeartbeatError } from './share-groups.ts';

/** The share groups of a broker, each on the partition that keeps it (`GroupCoordinator.onShares`). */
export interface ShareGroupsByGroup {
  onShares(groupId: string, refuse: (errorCode: number) => void, work: (shares: ShareGroups) => void): void;
}

export function shareGroupHeartbeat(
  groups: ShareGroupsByGroup,
  request: ShareGroupHeartbeatRequest,
  client: GroupClient,
  answer: ShareHeartbeatAnswer,
): void {
  if (request.memberId === '') return answer(shareHeartbeatError(ErrorCode.INVALID_REQUEST, null));
  attempt(
    () => {
      checkShareHeartbeat(request);
      groups.onShares(
        request.groupId,
        (errorCode) => answer(shareHeartbeatError(errorCode)),
        (shares) => shares.heartbeat(request, client, answer),
      );
    },
    ({ code, message }) => answer(shareHeartbeatError(code, message)),
  );
}

export function shareGroupOf(
  groups: ShareGroupsByGroup,
  groupId: string,
  answer: (group: DescribedShareGroup) => void,
): void {
  const refuse = (code: number, why: string | null = null): void => answer(refusedShareGroup(groupId, code, why));
  groups.onShares(groupId, refuse, (shares) => {
    const group = shares.get(groupId);
    if (group !== undefined) return answer(describeShareGroup(group, shares.options.image));
    refuse(ErrorCode.GROUP_ID_NOT_FOUND, whyNoGroup(groupId, 'share', shares.options.isTaken(groupId)));
  });
}
