import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { alterOffsets, refusedOffsets } from '../../coordinator/group/share/share-offsets.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { allowedTopics, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Says where an empty share group goes on. */
export function alterShareGroupOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterShareGroupOffsetsRequest,
    response: AlterShareGroupOffsetsResponse,
    versions: '0',
    handle(request, context, responder) {
      const answer = (outcome: Partial<AlterShareGroupOffsetsResponse>): void =>
        responder.answer(build(AlterShareGroupOffsetsResponse, outcome));
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return answer(refusedOffsets(ErrorCode.GROUP_AUTHORIZATION_FAILED));
      }
      const names = request.topics.map(({ topicName }) => topicName);
      const allowed = allowedTopics(broker, context, AclOperation.read, names);
      const topics = request.topics.filter(({ topicName }) => allowed.has(topicName));
      const denied = request.topics
        .filter(({ topicName }) => !allowed.has(topicName))
        .map((topic) => deniedTopic(topic, broker.metadata.topic(topic.topicName)?.id));
      broker.groups.onShares(
        request.groupId,
        (errorCode) => answer(refusedOffsets(errorCode)),
        (shares) =>
          alterOffsets(shares, { ...request, topics }, (outcome) => {
            const isDone = outcome.errorCode === ErrorCode.NONE;
            answer(isDone ? { ...outcome, responses: [...denied, ...outcome.responses] } : outcome);
          }),
      );
    },
  });
}

function deniedTopic(
  { topicName, partitions }: AlterShareGroupOffsetsRequest['topics'][number],
  topicId = ZERO_UUID,
): AlterShareGroupOffsetsResponse['responses'][number] {
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  const error = { errorCode, errorMessage: errorInfo(errorCode).message };
  const refused = partitions.map(({ partitionIndex }) => ({ partitionIndex, ...error }));
  return { topicName, topicId, partitions: refused };
}
