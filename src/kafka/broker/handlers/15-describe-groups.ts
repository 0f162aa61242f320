import { build } from '../../../wire/schema.ts';
import { unavailableGroup } from '../../coordinator/group/describe.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { groupOperationsOf, mayOnGroup, UNKNOWN_OPERATIONS } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

type Group = DescribeGroupsResponse['groups'][number];

/** From this version on a group that does not exist is an error, and not a dead group (KIP-1043). */
const NOT_FOUND_FROM = 6;

export function describeGroupsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeGroupsRequest,
    response: DescribeGroupsResponse,
    versions: '0-6',
    handle({ groups: ids, includeAuthorizedOperations }, context, responder) {
      const seen = new Set(ids.filter((id) => mayOnGroup(broker, context, AclOperation.describe, id)));
      const denied = ids.filter((id) => !seen.has(id)).map(deniedGroup);
      gather<string, Group>(
        ids.filter((id) => seen.has(id)),
        (groupId, done) =>
          broker.groups.admin.describe(groupId, (group, why = `Group ${groupId} not found.`) => {
            const isMissing = context.apiVersion >= NOT_FOUND_FROM && group.groupState === 'Dead';
            const isShown = includeAuthorizedOperations && group.errorCode === ErrorCode.NONE;
            done({
              ...group,
              errorCode: isMissing ? ErrorCode.GROUP_ID_NOT_FOUND : group.errorCode,
              errorMessage: isMissing ? why : null,
              authorizedOperations: isShown ? groupOperationsOf(broker, context, groupId) : UNKNOWN_OPERATIONS,
            });
          }),
        (groups) => responder.answer(build(DescribeGroupsResponse, { groups: [...denied, ...groups] })),
      );
    },
  });
}

/** Whether there is such a group is not disclosed. */
function deniedGroup(groupId: string): Group {
  const group = unavailableGroup(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED);
  return { ...group, errorMessage: null, authorizedOperations: UNKNOWN_OPERATIONS };
}
