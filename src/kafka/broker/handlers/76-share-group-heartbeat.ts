import { build } from '../../../wire/schema.ts';
import { shareGroupHeartbeat } from '../../coordinator/group/share/share-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayDescribeAll, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupClientOf } from '../group-client.ts';

/** Joins, stays in and leaves a share group (KIP-932); members choose their ids. */
export function shareGroupHeartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareGroupHeartbeatRequest,
    response: ShareGroupHeartbeatResponse,
    versions: '1',
    handle(request, context, responder) {
      const refuse = (errorCode: number): void => responder.answer(build(ShareGroupHeartbeatResponse, { errorCode }));
      if (!mayOnGroup(broker, context, AclOperation.read, request.groupId)) {
        return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      if (request.memberId === '') return refuse(ErrorCode.INVALID_REQUEST);
      if (!mayDescribeAll(broker, context, request.subscribedTopicNames ?? [])) {
        return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
      }
      const client = groupClientOf(broker, context);
      shareGroupHeartbeat(broker.groups, request, client, (response) => responder.answer(response));
    },
  });
}
