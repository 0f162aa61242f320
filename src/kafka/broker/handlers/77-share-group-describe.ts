import { build } from '../../../wire/schema.ts';
import type { DescribedShareGroup } from '../../coordinator/group/share/describe-share.ts';
import { shareGroupOf } from '../../coordinator/group/share/share-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { CONFIGURABLE_GROUP_OPERATIONS, UNKNOWN_OPERATIONS } from '../authorized-operations.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

/** State and members of share groups. */
export function shareGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareGroupDescribeRequest,
    response: ShareGroupDescribeResponse,
    versions: '1',
    handle({ groupIds, includeAuthorizedOperations }, _context, responder) {
      gather<string, DescribedShareGroup>(
        groupIds,
        (groupId, done) => shareGroupOf(broker.groups, groupId, done),
        (described) => {
          const groups = described.map((group) => ({
            ...group,
            authorizedOperations:
              includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
                ? CONFIGURABLE_GROUP_OPERATIONS
                : UNKNOWN_OPERATIONS,
          }));
          responder.answer(build(ShareGroupDescribeResponse, { groups }));
        },
      );
    },
  });
}
