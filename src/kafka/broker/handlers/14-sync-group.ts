import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** From version 5 on a member must say which protocol it means (KIP-559). */
const PROTOCOL_REQUIRED_FROM = 5;

export function syncGroupHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: SyncGroupRequest,
    response: SyncGroupResponse,
    versions: '0-5',
    handle(request, context, responder) {
      const { protocolType, protocolName } = request;
      if (context.apiVersion >= PROTOCOL_REQUIRED_FROM && (protocolType === null || protocolName === null)) {
        responder.answer(build(SyncGroupResponse, { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL }));
        return;
      }
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return responder.answer(build(SyncGroupResponse, { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }));
      }
      broker.groups.syncGroup(request, (response) => responder.answer(response));
    },
  });
}
