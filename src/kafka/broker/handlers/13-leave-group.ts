import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Since version 3 many may leave at once, each with an error of its own (KIP-345). */
const MANY_MEMBERS_FROM = 3;

export function leaveGroupHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: LeaveGroupRequest,
    response: LeaveGroupResponse,
    versions: '0-5',
    handle(request, context, responder) {
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return responder.answer(build(LeaveGroupResponse, { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }));
      }
      if (context.apiVersion >= MANY_MEMBERS_FROM) {
        broker.groups.leaveGroup(request.groupId, request.members, (response) => responder.answer(response));
        return;
      }
      const leaving = { memberId: request.memberId, groupInstanceId: null, reason: null };
      broker.groups.leaveGroup(request.groupId, [leaving], ({ errorCode, members }) => {
        const ofMember = members[0]?.errorCode ?? ErrorCode.NONE;
        responder.answer(build(LeaveGroupResponse, { errorCode: errorCode === ErrorCode.NONE ? ofMember : errorCode }));
      });
    },
  });
}
