import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupTopologyDescriptionUpdateRequest,
  StreamsGroupTopologyDescriptionUpdateResponse,
} from '../../protocol/messages/93-streams-group-topology-description-update.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Descriptions of topologies are for a plugin to keep (KIP-1331); as with Apache's broker that has none, nobody does. */
export function streamsGroupTopologyDescriptionUpdateHandler(): ApiHandler {
  return apiHandler({
    request: StreamsGroupTopologyDescriptionUpdateRequest,
    response: StreamsGroupTopologyDescriptionUpdateResponse,
    versions: '0',
    handle(_request, _context, responder) {
      responder.answer(
        build(StreamsGroupTopologyDescriptionUpdateResponse, {
          errorCode: ErrorCode.UNSUPPORTED_VERSION,
          errorMessage: 'The broker has no streams group topology description plugin configured.',
        }),
      );
    },
  });
}
