import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.ts';
import { type AclBinding, AclOperation } from '../../security/acl.ts';
import { filterOf, isUnreadable } from '../acl-requests.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { clusterRefusal, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Resource = DescribeAclsResponse['resources'][number];

/** As this broker knows them; without an authorizer nobody keeps ACLs (`AclApis.handleDescribeAcls`). */
export function describeAclsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeAclsRequest,
    response: DescribeAclsResponse,
    versions: '0-3',
    handle(request, context, responder) {
      const filter = filterOf(request);
      if (isUnreadable(filter)) return responder.close('a filter for ACLs with unknown elements');
      const refuse = (errorCode: number, errorMessage: string): void =>
        responder.answer(build(DescribeAclsResponse, { errorCode, errorMessage }));
      if (!mayOnCluster(broker, context, AclOperation.describe)) {
        const { code, message } = clusterRefusal(context);
        return refuse(code, message);
      }
      if (broker.acls === undefined) {
        return refuse(ErrorCode.SECURITY_DISABLED, 'No Authorizer is configured on the broker');
      }
      responder.answer(build(DescribeAclsResponse, { resources: byPattern(broker.acls.matching(filter)) }));
    },
  });
}

function byPattern(bindings: readonly AclBinding[]): Resource[] {
  const resources = new Map<string, Resource>();
  for (const { pattern, entry } of bindings) {
    const { resourceType, patternType, name: resourceName } = pattern;
    const key = `${resourceType}/${patternType}/${resourceName}`;
    const resource = resources.get(key) ?? { resourceType, resourceName, patternType, acls: [] };
    resources.set(key, resource);
    const { principal, host, operation, permission: permissionType } = entry;
    resource.acls.push({ principal, host, operation, permissionType });
  }
  return [...resources.values()];
}
