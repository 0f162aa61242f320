import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { GROUP_OPERATIONS, UNKNOWN_OPERATIONS } from '../authorized-operations.ts';
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
    handle({ groups: ids, includeAuthorizedOperations }, { apiVersion }, responder) {
      gather<string, Group>(
        ids,
        (groupId, done) =>
          broker.groups.admin.describe(groupId, (group, why = `Group ${groupId} not found.`) => {
            const isMissing = apiVersion >= NOT_FOUND_FROM && group.groupState === 'Dead';
            const isShown = includeAuthorizedOperations && group.errorCode === ErrorCode.NONE;
            done({
              ...group,
              errorCode: isMissing ? ErrorCode.GROUP_ID_NOT_FOUND : group.errorCode,
              errorMessage: isMissing ? why : null,
              authorizedOperations: isShown ? GROUP_OPERATIONS : UNKNOWN_OPERATIONS,
            });
          }),
        (groups) => responder.answer(build(DescribeGroupsResponse, { groups })),
      );
    },
  });
}
