import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupClientOf } from '../group-client.ts';

/** Before version 7 a protocol that is none was the empty string. */
const NULL_PROTOCOL_FROM = 7;

/** Answered when the rebalance that it takes part in is complete. */
export function joinGroupHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: JoinGroupRequest,
    response: JoinGroupResponse,
    versions: '0-9',
    handle(request, context, responder) {
      const { apiVersion } = context;
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        const refusal = { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, generationId: -1 };
        const protocolName = apiVersion < NULL_PROTOCOL_FROM ? '' : null;
        return responder.answer(build(JoinGroupResponse, { ...refusal, protocolName }));
      }
      broker.groups.joinGroup(request, groupClientOf(broker, context), (response) => {
        const { protocolName } = response;
        responder.answer(
          apiVersion < NULL_PROTOCOL_FROM ? { ...response, protocolName: protocolName ?? '' } : response,
        );
      });
    },
  });
}
