import { build } from '../../../wire/schema.ts';
import type { DescribedShareGroup } from '../../coordinator/group/share/describe-share.ts';
import { shareGroupOf } from '../../coordinator/group/share/share-requests.ts';
import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { configurableGroupOperations } from '../authorized-operations.ts';
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
            authorizedOperations: configurableGroupOperations(includeAuthorizedOperations, group.errorCode),
          }));
          responder.answer(build(ShareGroupDescribeResponse, { groups }));
        },
      );
    },
  });
}
