import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

export function heartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: HeartbeatRequest,
    response: HeartbeatResponse,
    versions: '0-4',
    handle(request, context, responder) {
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return responder.answer(build(HeartbeatResponse, { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }));
      }
      broker.groups.heartbeat(request, (errorCode) => responder.answer(build(HeartbeatResponse, { errorCode })));
    },
  });
}
