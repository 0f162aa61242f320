import { build } from '../../../wire/schema.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** The groups of this broker alone: tools ask all. */
export function listGroupsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListGroupsRequest,
    response: ListGroupsResponse,
    versions: '0-5',
    handle({ statesFilter, typesFilter }, _context, responder) {
      broker.groups.admin.list({ states: statesFilter, types: typesFilter }, (errorCode, groups) =>
        responder.answer(build(ListGroupsResponse, { errorCode, groups: [...groups] })),
      );
    },
  });
}
