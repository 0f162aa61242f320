import { build } from '../../../wire/schema.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts';
import { AclOperation } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** The groups of this broker alone: tools ask all. */
export function listGroupsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListGroupsRequest,
    response: ListGroupsResponse,
    versions: '0-5',
    handle({ statesFilter, typesFilter }, context, responder) {
      const seesAll = mayOnCluster(broker, context, AclOperation.describe, filtered);
      const isSeen = (id: string): boolean =>
        seesAll || mayOnGroup(broker, context, AclOperation.describe, id, filtered);
      broker.groups.admin.list({ states: statesFilter, types: typesFilter }, (errorCode, groups) =>
        responder.answer(
          build(ListGroupsResponse, { errorCode, groups: groups.filter(({ groupId }) => isSeen(groupId)) }),
        ),
      );
    },
  });
}
