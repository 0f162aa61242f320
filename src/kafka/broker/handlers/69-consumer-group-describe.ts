import { build } from '../../../wire/schema.ts';
import {
  type DescribedConsumerGroup,
  refusedConsumerGroup,
} from '../../coordinator/group/consumer/describe-consumer.ts';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { describeGroups } from '../described-groups.ts';

/** v1: says which protocol each member speaks. */
export function consumerGroupDescribeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ConsumerGroupDescribeRequest,
    response: ConsumerGroupDescribeResponse,
    versions: '0-1',
    handle({ groupIds, includeAuthorizedOperations }, context, responder) {
      describeGroups<DescribedConsumerGroup>(
        broker,
        context,
        {
          groupIds,
          includeAuthorizedOperations,
          describe: (groupId, done) => broker.groups.admin.describeConsumer(groupId, done),
          refuse: refusedConsumerGroup,
          topicsOf: ({ members }) =>
            members.flatMap(({ assignment, targetAssignment }) =>
              [...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(({ topicName }) => topicName),
            ),
          hiddenMessage: 'The group has described topic(s) that the client is not authorized to describe.',
        },
        (groups) => responder.answer(build(ConsumerGroupDescribeResponse, { groups })),
      );
    },
  });
}
