import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayDescribeAll, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupClientOf } from '../group-client.ts';

/**
 * Joins, stays in and leaves a group of the consumer protocol (KIP-848).
 * v1: members choose their ids (KIP-1082), and may subscribe by regular expression
 */
export function consumerGroupHeartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ConsumerGroupHeartbeatRequest,
    response: ConsumerGroupHeartbeatResponse,
    versions: '0-1',
    handle(request, context, responder) {
      const refuse = (errorCode: number): void =>
        responder.answer(build(ConsumerGroupHeartbeatResponse, { errorCode }));
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      if (!mayDescribeAll(broker, context, request.subscribedTopicNames ?? [])) {
        return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
      }
      const client = groupClientOf(broker, context);
      broker.groups.consumerGroupHeartbeat(request, client, (response) => responder.answer(response));
    },
  });
}
