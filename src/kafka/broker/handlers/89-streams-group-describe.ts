import { build } from '../../../wire/schema.ts';
import type { DescribedStreamsGroup } from '../../coordinator/group/streams/describe-streams.ts';
import { streamsGroupOf } from '../../coordinator/group/streams/streams-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../../protocol/messages/89-streams-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { configurableGroupOperations } from '../authorized-operations.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

/** Nobody keeps descriptions of topologies here: that takes a plugin (KIP-1331). */
const DESCRIPTION_NOT_STORED = 1;

/** State, members and topology of streams groups. */
export function streamsGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: StreamsGroupDescribeRequest,
    response: StreamsGroupDescribeResponse,
    versions: '0-1',
    handle({ groupIds, includeAuthorizedOperations, includeTopologyDescription }, _context, responder) {
      gather<string, DescribedStreamsGroup>(
        groupIds,
        (groupId, done) => streamsGroupOf(broker.groups, groupId, done),
        (described) => {
          const groups = described.map((group) => ({
            ...group,
            topologyDescriptionStatus:
              includeTopologyDescription && group.errorCode === ErrorCode.NONE
                ? DESCRIPTION_NOT_STORED
                : group.topologyDescriptionStatus,
            authorizedOperations: configurableGroupOperations(includeAuthorizedOperations, group.errorCode),
          }));
          responder.answer(build(StreamsGroupDescribeResponse, { groups }));
        },
      );
    },
  });
}
