import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { distinctPartitions } from '../committed-topics.ts';

export function offsetDeleteHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: OffsetDeleteRequest,
    response: OffsetDeleteResponse,
    versions: '0',
    handle(request, _context, responder) {
      const { groupId } = request;
      const topics = distinctPartitions(broker, request.topics, false);
      const asked = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
      );
      const exists = asked.map(({ topic, partition }) => broker.metadata.partition(topic, partition) !== undefined);
      const existing = asked.filter((_, index) => exists[index] === true);
      broker.groups.offsets.delete(groupId, existing, (errorCode, errors) => {
        if (errorCode !== ErrorCode.NONE) return responder.answer(build(OffsetDeleteResponse, { errorCode }));
        const left = errors.values();
        const codes = exists.map((known) =>
          known ? (left.next().value ?? ErrorCode.UNKNOWN_SERVER_ERROR) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
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
