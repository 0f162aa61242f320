import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { distinctPartitions, readableTopics } from '../committed-topics.ts';

export function offsetDeleteHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: OffsetDeleteRequest,
    response: OffsetDeleteResponse,
    versions: '0',
    handle(request, context, responder) {
      const { groupId } = request;
      if (!mayOnGroup(broker, context, AclOperation.delete, groupId)) {
        return responder.answer(build(OffsetDeleteResponse, { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }));
      }
      const readable = readableTopics(broker, context, request.topics, false);
      const topics = distinctPartitions(broker, request.topics, false, readable);
      const asked = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
      );
      const refusals = asked.map(({ topic, partition }): number => {
        if (!readable.has(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
        const exists = broker.metadata.partition(topic, partition) !== undefined;
        return exists ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      });
      const existing = asked.filter((_, index) => refusals[index] === ErrorCode.NONE);
      broker.groups.offsets.delete(groupId, existing, (errorCode, errors) => {
        if (errorCode !== ErrorCode.NONE) return responder.answer(build(OffsetDeleteResponse, { errorCode }));
        const left = errors.values();
        const codes = refusals.map((refusal) =>
          refusal === ErrorCode.NONE ? (left.next().value ?? ErrorCode.UNKNOWN_SERVER_ERROR) : refusal,
        );
        const all = codes.values();
        responder.answer(
          build(OffsetDeleteResponse, {
            topics: topics.map(({ name, partitions }) => ({
              name,
              partitions: partitions.map(({ partitionIndex }) => ({
                partitionIndex,
                errorCode: all.next().value ?? ErrorCode.UNKNOWN_SERVER_ERROR,
              })),
            })),
          }),
        );
      });
    },
  });
}
