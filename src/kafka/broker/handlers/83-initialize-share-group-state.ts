import { build } from '../../../wire/schema.ts';
import type { Outcome } from '../../coordinator/share/share-coordinator.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { forEachShare, refuseShares } from '../share/for-each-share.ts';

/** From the group coordinator to the share coordinator. */
export function initializeShareGroupStateHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: InitializeShareGroupStateRequest,
    response: InitializeShareGroupStateResponse,
    versions: '0',
    handle(request, context, responder) {
      const refused = refuseShares(broker, context, request, {});
      if (refused !== undefined)
        return responder.answer(build(InitializeShareGroupStateResponse, { results: refused }));
      forEachShare(
        request,
        (key, asked, done: (outcome: Outcome) => void) => broker.shares.coordinator.initialize(key, asked, done),
        (results) => responder.answer(build(InitializeShareGroupStateResponse, { results })),
      );
    },
  });
}
