import { build } from '../../../wire/schema.ts';
import { type DescribedStreamsGroup, refusedStreamsGroup } from '../../coordinator/group/streams/describe-streams.ts';
import { streamsGroupOf } from '../../coordinator/group/streams/streams-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../../protocol/messages/89-streams-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { describeGroups } from '../described-groups.ts';
import { topicNamesOf } from '../streams-topic-names.ts';

/** Nobody keeps descriptions of topologies here: that takes a plugin (KIP-1331). */
const DESCRIPTION_NOT_STORED = 1;

/** State, members and topology of streams groups. */
export function streamsGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: StreamsGroupDescribeRequest,
    response: StreamsGroupDescribeResponse,
    versions: '0-1',
    handle({ groupIds, includeAuthorizedOperations, includeTopologyDescription }, context, responder) {
      describeGroups<DescribedStreamsGroup>(
        broker,
        context,
        {
          groupIds,
          includeAuthorizedOperations,
          describe: (groupId, done) => streamsGroupOf(broker.groups, groupId, done),
          refuse: refusedStreamsGroup,
          topicsOf: ({ topology }) => topology?.subtopologies?.flatMap(topicNamesOf) ?? [],
          hiddenMessage: 'The described group uses topics that the client is not authorized to describe.',
        },
        (described) => {
          const groups = described.map((group) => ({
            ...group,
            topologyDescriptionStatus:
              includeTopologyDescription && group.errorCode === ErrorCode.NONE
                ? DESCRIPTION_NOT_STORED
                : group.topologyDescriptionStatus,
          }));
          responder.answer(build(StreamsGroupDescribeResponse, { groups }));
        },
      );
    },
  });
}
