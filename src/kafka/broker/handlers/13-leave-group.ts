import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** Since version 3 many may leave at once, each with an error of its own (KIP-345). */
const MANY_MEMBERS_FROM = 3;

export function leaveGroupHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: LeaveGroupRequest,
    response: LeaveGroupResponse,
    versions: '0-5',
    handle(request, { apiVersion }, responder) {
      if (apiVersion >= MANY_MEMBERS_FROM) {
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
