import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

type Result = DeleteGroupsResponse['results'][number];

/** v3 has room for words about why a group was not deleted; Apache's brokers say none. */
export function deleteGroupsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteGroupsRequest,
    response: DeleteGroupsResponse,
    versions: '0-3',
    handle({ groupsNames }, context, responder) {
      const ids = [...new Set(groupsNames)];
      const allowed = new Set(ids.filter((id) => mayOnGroup(broker, context, AclOperation.delete, id)));
      const denied = ids
        .filter((id) => !allowed.has(id))
        .map((groupId) => ({ groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, errorMessage: null }));
      gather<string, Result>(
        [...allowed],
        (groupId, done) =>
          broker.groups.admin.delete(groupId, (errorCode) => done({ groupId, errorCode, errorMessage: null })),
        (results) => responder.answer(build(DeleteGroupsResponse, { results: [...results, ...denied] })),
      );
    },
  });
}
