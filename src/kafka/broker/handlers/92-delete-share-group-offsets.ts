import { build } from '../../../wire/schema.ts';
import { deleteOffsets, refusedOffsets } from '../../coordinator/group/share/share-offsets.ts';
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../protocol/messages/92-delete-share-group-offsets.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Forgets where an empty share group is in topics. */
export function deleteShareGroupOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteShareGroupOffsetsRequest,
    response: DeleteShareGroupOffsetsResponse,
    versions: '0',
    handle({ groupId, topics }, _context, responder) {
      const answer = (outcome: Partial<DeleteShareGroupOffsetsResponse>): void =>
        responder.answer(build(DeleteShareGroupOffsetsResponse, outcome));
      const names = topics.map(({ topicName }) => topicName);
      broker.groups.onShares(
        groupId,
        (errorCode) => answer(refusedOffsets(errorCode)),
        (shares) => deleteOffsets(shares, groupId, names, answer),
      );
    },
  });
}
