import type { GroupClient } from '../coordinator/group/join.ts';
import { AclOperation } from '../security/acl.ts';
import { filtered } from '../security/authorizer.ts';
import type { RequestContext } from './api-handler.ts';
import { allowedTopics } from './authorization.ts';
import type { BrokerContext } from './broker-context.ts';

/** Who asks a group coordinator. */
export function groupClientOf(broker: BrokerContext, context: RequestContext): GroupClient {
  const { clientId, clientAddress, apiVersion } = context;
  return {
    id: clientId,
    host: clientAddress,
    apiVersion,
    describable: (topics) => allowedTopics(broker, context, AclOperation.describe, topics, filtered),
  };
}
