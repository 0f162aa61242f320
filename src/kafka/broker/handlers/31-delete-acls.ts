import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts';
import { AclOperation } from '../../security/acl.ts';
import type { AclDeletion } from '../../security/acl-store.ts';
import { filterOf, isUnreadable } from '../acl-requests.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { clusterRefusal, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type Deleted = DeleteAclsResponse['filterResults'][number]['matchingAcls'][number];

/** Any broker does, it writes to ZooKeeper itself (`AclApis.handleDeleteAcls`). */
export function deleteAclsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DeleteAclsRequest,
    response: DeleteAclsResponse,
    versions: '0-3',
    handle(request, context, responder) {
      const filters = request.filters.map(filterOf);
      if (filters.some(isUnreadable)) return responder.close('a filter for ACLs with unknown elements');
      const refusal = refusalOf(broker, context);
      if (refusal !== undefined || broker.acls === undefined) {
        const { code, message } = asKafkaError(refusal);
        const filterResults = filters.map(() => ({ errorCode: code, errorMessage: message, matchingAcls: [] }));
        return responder.answer(build(DeleteAclsResponse, { filterResults }));
      }
      void broker.acls.delete(filters).then((results) => {
        const filterResults = results.map((found) => ({
          errorCode: ErrorCode.NONE,
          errorMessage: null,
          matchingAcls: found.map(describe),
        }));
        responder.answer(build(DeleteAclsResponse, { filterResults }));
      });
    },
  });
}

/** Without an authorizer each filter is refused, before it is looked at. */
function refusalOf(broker: BrokerContext, context: RequestContext): KafkaError | undefined {
  if (!mayOnCluster(broker, context, AclOperation.alter)) return clusterRefusal(context);
  return broker.acls === undefined
    ? new KafkaError(ErrorCode.SECURITY_DISABLED, 'No Authorizer is configured.')
    : undefined;
}

function describe({ binding: { pattern, entry }, error }: AclDeletion): Deleted {
  const { code } = error === undefined ? { code: ErrorCode.NONE } : asKafkaError(error);
  return {
    errorCode: code,
    errorMessage: null,
    resourceType: pattern.resourceType,
    resourceName: pattern.name,
    patternType: pattern.patternType,
    principal: entry.principal,
    host: entry.host,
    operation: entry.operation,
    permissionType: entry.permission,
  };
}
