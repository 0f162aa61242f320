import { ErrorCode } from '../protocol/errors.ts';
import { AclOperation } from '../security/acl.ts';
import type { RequestContext } from './api-handler.ts';
import { allowedTopics, configurableGroupOperationsOf, mayOnGroup, UNKNOWN_OPERATIONS } from './authorization.ts';
import type { BrokerContext } from './broker-context.ts';
import { gather } from './gather.ts';

interface Described {
  readonly groupId: string;
  readonly errorCode: number;
}

/** How groups of one kind are described. */
export interface GroupsAsked<G> {
  readonly groupIds: readonly string[];
  readonly includeAuthorizedOperations: boolean;
  readonly describe: (groupId: string, done: (group: G) => void) => void;
  readonly refuse: (groupId: string, errorCode: number, errorMessage: string | null) => G;
  /** The topics that a description names: whoever may not see one of them is told nothing of the group. */
  readonly topicsOf: (group: G) => readonly string[];
  readonly hiddenMessage: string;
}

/** Describes the groups of 4.x that the client may see; the others come first. */
export function describeGroups<G extends Described>(
  broker: BrokerContext,
  context: RequestContext,
  asked: GroupsAsked<G>,
  finish: (groups: (G & { readonly authorizedOperations: number })[]) => void,
): void {
  const { groupIds, includeAuthorizedOperations, refuse, topicsOf } = asked;
  const seen = new Set(groupIds.filter((id) => mayOnGroup(broker, context, AclOperation.describe, id)));
  const denied = groupIds
    .filter((id) => !seen.has(id))
    .map((id) => ({
      ...refuse(id, ErrorCode.GROUP_AUTHORIZATION_FAILED, null),
      authorizedOperations: UNKNOWN_OPERATIONS,
    }));
  gather<string, G>(
    groupIds.filter((id) => seen.has(id)),
    asked.describe,
    (described) => {
      const topics = allowedTopics(broker, context, AclOperation.describe, new Set(described.flatMap(topicsOf)));
      const groups = described.map((group) => {
        const isHidden = topicsOf(group).some((topic) => !topics.has(topic));
        const told = isHidden
          ? refuse(group.groupId, ErrorCode.TOPIC_AUTHORIZATION_FAILED, asked.hiddenMessage)
          : group;
        const isTold = includeAuthorizedOperations && told.errorCode === ErrorCode.NONE;
        const authorizedOperations = isTold
          ? configurableGroupOperationsOf(broker, context, group.groupId)
          : UNKNOWN_OPERATIONS;
        return { ...told, authorizedOperations };
      });
      finish([...denied, ...groups]);
    },
  );
}
