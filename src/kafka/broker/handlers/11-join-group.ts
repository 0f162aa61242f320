import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Before version 7 a protocol that is none was the empty string. */
const NULL_PROTOCOL_FROM = 7;

/** Answered when the rebalance that it takes part in is complete. */
export function joinGroupHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: JoinGroupRequest,
    response: JoinGroupResponse,
    versions: '0-9',
    handle(request, { clientId, clientAddress, apiVersion }, responder) {
      broker.groups.joinGroup(request, { id: clientId, host: clientAddress, apiVersion }, (response) => {
        const { protocolName } = response;
        responder.answer(
          apiVersion < NULL_PROTOCOL_FROM ? { ...response, protocolName: protocolName ?? '' } : response,
        );
      });
    },
  });
}
