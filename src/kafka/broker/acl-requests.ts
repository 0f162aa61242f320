import { AclOperation, AclPermission, AclResource, PatternType } from '../security/acl.ts';
import type { AclFilter } from '../security/acl-filter.ts';

/** As DescribeAcls and DeleteAcls name it. */
interface AskedFilter {
  readonly resourceTypeFilter: number;
  readonly resourceNameFilter: string | null;
  readonly patternTypeFilter: number;
  readonly principalFilter: string | null;
  readonly hostFilter: string | null;
  readonly operation: number;
  readonly permissionType: number;
}

export function filterOf(asked: AskedFilter): AclFilter {
  return {
    resourceType: asked.resourceTypeFilter,
    patternType: asked.patternTypeFilter,
    name: asked.resourceNameFilter,
    principal: asked.principalFilter,
    host: asked.hostFilter,
    operation: asked.operation,
    permission: asked.permissionType,
  };
}

interface AskedCodes {
  readonly resourceType: number;
  readonly patternType: number;
  readonly operation: number;
  readonly permission: number;
}

/** Whether a request holds what nobody can mean: to Apache's broker it is one that cannot be read. */
export function isUnreadable(codes: AskedCodes): boolean {
  return (
    codes.resourceType === AclResource.unknown ||
    codes.patternType === PatternType.unknown ||
    codes.operation === AclOperation.unknown ||
    codes.permission === AclPermission.unknown
  );
}

/** Whether it stands for several things: an ACL is about one. */
export function isFilter(codes: AskedCodes): boolean {
  return (
    codes.resourceType === AclResource.any ||
    codes.patternType === PatternType.any ||
    codes.patternType === PatternType.match ||
    codes.operation === AclOperation.any ||
    codes.permission === AclPermission.any
  );
}
