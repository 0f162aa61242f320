import { build } from '../../../wire/schema.ts';
import type { Outcome } from '../../coordinator/share/share-coordinator.ts';
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from '../../protocol/messages/85-write-share-group-state.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { forEachShare, refuseShares } from '../share/for-each-share.ts';

/** From a partition's leader to the share coordinator. v1 tells how many records are done above the start offset. */
export function writeShareGroupStateHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: WriteShareGroupStateRequest,
    response: WriteShareGroupStateResponse,
    versions: '0-1',
    handle(request, context, responder) {
      const refused = refuseShares(broker, context, request, {});
      if (refused !== undefined) return responder.answer(build(WriteShareGroupStateResponse, { results: refused }));
      forEachShare(
        request,
        (key, asked, done: (outcome: Outcome) => void) => broker.shares.coordinator.write(key, asked, done),
        (results) => responder.answer(build(WriteShareGroupStateResponse, { results })),
      );
    },
  });
}
