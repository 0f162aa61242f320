import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { deleteOffsets, refusedOffsets } from '../../coordinator/group/share/share-offsets.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from '../../protocol/messages/92-delete-share-group-offsets.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { allowedTopics, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Forgets where an empty share group is in topics. */
export function deleteShareGroupOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteShareGroupOffsetsRequest,
    response: DeleteShareGroupOffsetsResponse,
    versions: '0',
    handle({ groupId, topics }, context, responder) {
      const answer = (outcome: Partial<DeleteShareGroupOffsetsResponse>): void =>
        responder.answer(build(DeleteShareGroupOffsetsResponse, outcome));
      if (!mayOnGroup(broker, context, AclOperation.delete, groupId)) {
        return answer(refusedOffsets(ErrorCode.GROUP_AUTHORIZATION_FAILED));
      }
      const all = topics.map(({ topicName }) => topicName);
      const allowed = allowedTopics(broker, context, AclOperation.read, all);
      const names = all.filter((name) => allowed.has(name));
      const denied = all.filter((name) => !allowed.has(name)).map(deniedTopic);
      broker.groups.onShares(
        groupId,
        (errorCode) => answer(refusedOffsets(errorCode)),
        (shares) =>
          deleteOffsets(shares, groupId, names, (outcome) => {
            const isDone = outcome.errorCode === ErrorCode.NONE;
            answer(isDone ? { ...outcome, responses: [...denied, ...outcome.responses] } : outcome);
          }),
      );
    },
  });
}

function deniedTopic(topicName: string): DeleteShareGroupOffsetsResponse['responses'][number] {
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  return { topicName, topicId: ZERO_UUID, errorCode, errorMessage: errorInfo(errorCode).message };
}
