import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  StreamsGroupTopologyDescriptionUpdateRequest,
  StreamsGroupTopologyDescriptionUpdateResponse,
} from '../../protocol/messages/93-streams-group-topology-description-update.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Descriptions of topologies are for a plugin to keep (KIP-1331); as with Apache's broker that has none, nobody does. */
export function streamsGroupTopologyDescriptionUpdateHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: StreamsGroupTopologyDescriptionUpdateRequest,
    response: StreamsGroupTopologyDescriptionUpdateResponse,
    versions: '0',
    handle({ groupId }, context, responder) {
      if (!mayOnGroup(broker, context, AclOperation.read, groupId)) {
        const refusal = { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
        return responder.answer(build(StreamsGroupTopologyDescriptionUpdateResponse, refusal));
      }
      responder.answer(
        build(StreamsGroupTopologyDescriptionUpdateResponse, {
          errorCode: ErrorCode.UNSUPPORTED_VERSION,
          errorMessage: 'The broker has no streams group topology description plugin configured.',
        }),
      );
    },
  });
}
