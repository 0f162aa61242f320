import { build } from '../../../wire/schema.ts';
import type { Outcome } from '../../coordinator/share/share-coordinator.ts';
import {
  DeleteShareGroupStateRequest,
  DeleteShareGroupStateResponse,
} from '../../protocol/messages/86-delete-share-group-state.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { forEachShare, refuseShares } from '../share/for-each-share.ts';

/** From the group coordinator to the share coordinator. */
export function deleteShareGroupStateHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteShareGroupStateRequest,
    response: DeleteShareGroupStateResponse,
    versions: '0',
    handle(request, context, responder) {
      const refused = refuseShares(broker, context, request, {});
      if (refused !== undefined) return responder.answer(build(DeleteShareGroupStateResponse, { results: refused }));
      forEachShare(
        request,
        (key, _asked, done: (outcome: Outcome) => void) => broker.shares.coordinator.delete(key, done),
        (results) => responder.answer(build(DeleteShareGroupStateResponse, { results })),
      );
    },
  });
}
