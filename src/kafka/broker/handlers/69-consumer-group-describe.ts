import { build } from '../../../wire/schema.ts';
import type { DescribedConsumerGroup } from '../../coordinator/group/consumer/describe-consumer.ts';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { configurableGroupOperations } from '../authorized-operations.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

/** v1: says which protocol each member speaks. */
export function consumerGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ConsumerGroupDescribeRequest,
    response: ConsumerGroupDescribeResponse,
    versions: '0-1',
    handle({ groupIds, includeAuthorizedOperations }, _context, responder) {
      gather<string, DescribedConsumerGroup>(
        groupIds,
        (groupId, done) => broker.groups.admin.describeConsumer(groupId, done),
        (described) => {
          const groups = described.map((group) => ({
            ...group,
            authorizedOperations: configurableGroupOperations(includeAuthorizedOperations, group.errorCode),
          }));
          responder.answer(build(ConsumerGroupDescribeResponse, { groups }));
        },
      );
    },
  });
}
