import { build } from '../../../wire/schema.ts';
import type { ReadOutcome } from '../../coordinator/share/share-coordinator.ts';
import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from '../../protocol/messages/84-read-share-group-state.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { forEachShare, refuseShares } from '../share/for-each-share.ts';

/** From a partition's leader to the share coordinator. */
export function readShareGroupStateHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ReadShareGroupStateRequest,
    response: ReadShareGroupStateResponse,
    versions: '0',
    handle(request, context, responder) {
      const refused = refuseShares(broker, context, request, nothing);
      if (refused !== undefined) {
        return responder.answer(build(ReadShareGroupStateResponse, { results: refused }));
      }
      forEachShare(
        request,
        (key, { leaderEpoch }, done: (result: Result) => void) =>
          broker.shares.coordinator.read(key, leaderEpoch, (outcome) => done(describe(outcome))),
        (results) => responder.answer(build(ReadShareGroupStateResponse, { results })),
      );
    },
  });
}

type Result = Omit<ReadShareGroupStateResponse['results'][number]['partitions'][number], 'partition'>;

function describe({ stateBatches, ...outcome }: ReadOutcome): Result {
  return { ...outcome, stateBatches: [...stateBatches] };
}

const nothing = { stateEpoch: 0, startOffset: 0, stateBatches: [] };
