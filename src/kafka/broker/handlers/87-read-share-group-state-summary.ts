import { build } from '../../../wire/schema.ts';
import type { SummaryOutcome } from '../../coordinator/share/share-coordinator.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { forEachShare, refuseShares } from '../share/for-each-share.ts';

/** From the group coordinator to the share coordinator. v1 tells how many records are done above the start offset. */
export function readShareGroupStateSummaryHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ReadShareGroupStateSummaryRequest,
    response: ReadShareGroupStateSummaryResponse,
    versions: '0-1',
    handle(request, context, responder) {
      const refused = refuseShares(broker, context, request, nothing);
      if (refused !== undefined) {
        return responder.answer(build(ReadShareGroupStateSummaryResponse, { results: refused }));
      }
      forEachShare(
        request,
        (key, _asked, done: (outcome: SummaryOutcome) => void) => broker.shares.coordinator.summary(key, done),
        (results) => responder.answer(build(ReadShareGroupStateSummaryResponse, { results })),
      );
    },
  });
}

const nothing = { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: -1 };
