import { build } from '../../../wire/schema.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

type Result = DeleteGroupsResponse['results'][number];

/** v3 has room for words about why a group was not deleted; Apache's brokers say none. */
export function deleteGroupsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteGroupsRequest,
    response: DeleteGroupsResponse,
    versions: '0-3',
    handle({ groupsNames }, _context, responder) {
      gather<string, Result>(
        [...new Set(groupsNames)],
        (groupId, done) =>
          broker.groups.admin.delete(groupId, (errorCode) => done({ groupId, errorCode, errorMessage: null })),
        (results) => responder.answer(build(DeleteGroupsResponse, { results })),
      );
    },
  });
}
