import {
  type AclBinding,
  type AclEntry,
  AclOperation,
  AclPermission,
  AclResource,
  isOneResourceType,
  PatternType,
  type ResourcePattern,
  WILDCARD,
} from './acl.ts';

/** Which ACLs are meant; null stands for any (`AclBindingFilter`). */
export interface AclFilter {
  readonly resourceType: number;
  readonly patternType: number;
  readonly name: string | null;
  readonly principal: string | null;
  readonly host: string | null;
  readonly operation: number;
  readonly permission: number;
}

export const everyAcl: AclFilter = {
  resourceType: AclResource.any,
  patternType: PatternType.any,
  name: null,
  principal: null,
  host: null,
  operation: AclOperation.any,
  permission: AclPermission.any,
};

export function matchesBinding(filter: AclFilter, { pattern, entry }: AclBinding): boolean {
  return matchesPattern(filter, pattern) && matchesEntry(filter, entry);
}

export function matchesEntry(filter: AclFilter, entry: AclEntry): boolean {
  return (
    (filter.principal === null || filter.principal === entry.principal) &&
    (filter.host === null || filter.host === entry.host) &&
    (filter.operation === AclOperation.any || filter.operation === entry.operation) &&
    (filter.permission === AclPermission.any || filter.permission === entry.permission)
  );
}

/** MATCH means every pattern that a resource of the name is in. */
export function matchesPattern({ resourceType, patternType, name }: AclFilter, pattern: ResourcePattern): boolean {
  if (resourceType !== AclResource.any && resourceType !== pattern.resourceType) return false;
  const isAnyType = patternType === PatternType.any || patternType === PatternType.match;
  if (!isAnyType && patternType !== pattern.patternType) return false;
  if (name === null || (name === pattern.name && patternType !== PatternType.match)) return true;
  if (patternType !== PatternType.match) return false;
  if (pattern.patternType === PatternType.prefixed) return name.startsWith(pattern.name);
  return name === pattern.name || pattern.name === WILDCARD;
}

/** The patterns that a filter names without knowing what there is; none for one that may mean many. */
export function patternsNamed({ resourceType, patternType, name }: AclFilter): ResourcePattern[] {
  if (name === null || !isOneResourceType(resourceType)) return [];
  const types = patternType === PatternType.any ? [PatternType.literal, PatternType.prefixed] : [patternType];
  return types.flatMap((type) =>
    type === PatternType.literal || type === PatternType.prefixed ? [{ resourceType, patternType: type, name }] : [],
  );
}
