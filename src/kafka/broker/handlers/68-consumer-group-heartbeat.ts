import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/**
 * Joins, stays in and leaves a group of the consumer protocol (KIP-848).
 * v1: members choose their ids (KIP-1082), and may subscribe by regular expression
 */
export function consumerGroupHeartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ConsumerGroupHeartbeatRequest,
    response: ConsumerGroupHeartbeatResponse,
    versions: '0-1',
    handle(request, { clientId, clientAddress, apiVersion }, responder) {
      const client = { id: clientId, host: clientAddress, apiVersion };
      broker.groups.consumerGroupHeartbeat(request, client, (response) => responder.answer(response));
    },
  });
}
