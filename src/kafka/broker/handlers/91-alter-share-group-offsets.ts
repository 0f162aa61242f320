import { build } from '../../../wire/schema.ts';
import { alterOffsets, refusedOffsets } from '../../coordinator/group/share/share-offsets.ts';
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from '../../protocol/messages/91-alter-share-group-offsets.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Says where an empty share group goes on. */
export function alterShareGroupOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterShareGroupOffsetsRequest,
    response: AlterShareGroupOffsetsResponse,
    versions: '0',
    handle(request, _context, responder) {
      const answer = (outcome: Partial<AlterShareGroupOffsetsResponse>): void =>
        responder.answer(build(AlterShareGroupOffsetsResponse, outcome));
      broker.groups.onShares(
        request.groupId,
        (errorCode) => answer(refusedOffsets(errorCode)),
        (shares) => alterOffsets(shares, request, answer),
      );
    },
  });
}
