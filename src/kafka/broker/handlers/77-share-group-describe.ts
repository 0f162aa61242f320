import { build } from '../../../wire/schema.ts';
import { type DescribedShareGroup, refusedShareGroup } from '../../coordinator/group/share/describe-share.ts';
import { shareGroupOf } from '../../coordinator/group/share/share-requests.ts';
import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { describeGroups } from '../described-groups.ts';

/** State and members of share groups. */
export function shareGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareGroupDescribeRequest,
    response: ShareGroupDescribeResponse,
    versions: '1',
    handle({ groupIds, includeAuthorizedOperations }, context, responder) {
      describeGroups<DescribedShareGroup>(
        broker,
        context,
        {
          groupIds,
          includeAuthorizedOperations,
          describe: (groupId, done) => shareGroupOf(broker.groups, groupId, done),
          refuse: refusedShareGroup,
          topicsOf: ({ members }) =>
            members.flatMap(({ assignment }) => assignment.topicPartitions.map(({ topicName }) => topicName)),
          hiddenMessage: 'The group has described topic(s) that the client is not authorized to describe.',
        },
        (groups) => responder.answer(build(ShareGroupDescribeResponse, { groups })),
      );
    },
  });
}
