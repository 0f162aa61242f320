import { shareGroupHeartbeat } from '../../coordinator/group/share/share-requests.ts';
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Joins, stays in and leaves a share group (KIP-932); members choose their ids. */
export function shareGroupHeartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareGroupHeartbeatRequest,
    response: ShareGroupHeartbeatResponse,
    versions: '1',
    handle(request, { clientId, clientAddress, apiVersion }, responder) {
      const client = { id: clientId, host: clientAddress, apiVersion };
      shareGroupHeartbeat(broker.groups, request, client, (response) => responder.answer(response));
    },
  });
}
