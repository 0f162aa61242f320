import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from '../protocol/messages/29-describe-acls.ts';
import { CreateAclsRequest, CreateAclsResponse } from '../protocol/messages/30-create-acls.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from '../protocol/messages/31-delete-acls.ts';
import type { AclBinding } from '../security/acl.ts';
import type { AclFilter } from '../security/acl-filter.ts';
import type { Cluster } from './cluster.ts';
import { callAny } from './named-call.ts';

/** What administrators do with ACLs. Each call rejects with the broker's first error; what succeeded beside it has happened. */
export class Acls {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Those that are there already are left as they are. @throws KafkaError SECURITY_DISABLED without an authorizer */
  async create(bindings: readonly AclBinding[]): Promise<void> {
    const { results } = await callAny(this.#cluster, 'createAcls', (connection) =>
      connection.request(CreateAclsRequest, CreateAclsResponse, {
        creations: bindings.map(({ pattern, entry }) => ({
          resourceType: pattern.resourceType,
          resourceName: pattern.name,
          resourcePatternType: pattern.patternType,
          principal: entry.principal,
          host: entry.host,
          operation: entry.operation,
          permissionType: entry.permission,
        })),
      }),
    );
    throwFirst(results);
  }

  /** Those that the filter means, as the broker that is asked knows them at present. */
  async describe(filter: AclFilter): Promise<AclBinding[]> {
    const answer = await callAny(this.#cluster, 'describeAcls', (connection) =>
      connection.request(DescribeAclsRequest, DescribeAclsResponse, askedOf(filter)),
    );
    throwFirst([answer]);
    return answer.resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
      acls.map(({ principal, host, operation, permissionType }) => ({
        pattern: { resourceType, patternType, name: resourceName },
        entry: { principal, host, operation, permission: permissionType },
      })),
    );
  }

  /** Removes what any of the filters means, and answers what that was. */
  async delete(filters: readonly AclFilter[]): Promise<AclBinding[]> {
    const { filterResults } = await callAny(this.#cluster, 'deleteAcls', (connection) =>
      connection.request(DeleteAclsRequest, DeleteAclsResponse, { filters: filters.map(askedOf) }),
    );
    throwFirst(filterResults);
    const deleted = filterResults.flatMap(({ matchingAcls }) => matchingAcls);
    throwFirst(deleted);
    return deleted.map(({ resourceType, resourceName, patternType, principal, host, operation, permissionType }) => ({
      pattern: { resourceType, patternType, name: resourceName },
      entry: { principal, host, operation, permission: permissionType },
    }));
  }
}

function askedOf(filter: AclFilter): DescribeAclsRequest {
  return {
    resourceTypeFilter: filter.resourceType,
    resourceNameFilter: filter.name,
    patternTypeFilter: filter.patternType,
    principalFilter: filter.principal,
    hostFilter: filter.host,
    operation: filter.operation,
    permissionType: filter.permission,
  };
}

function throwFirst(results: readonly { readonly errorCode: number; readonly errorMessage: string | null }[]): void {
  for (const { errorCode, errorMessage } of results) {
    if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
  }
}
