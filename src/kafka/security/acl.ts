import { decodeJson, encodeJson } from '../zk/znodes.ts';

/** What ACLs speak of, with the codes of the protocol (`AclOperation`, `ResourceType`, `PatternType`, `AclPermissionType`). */
export const AclOperation = {
  unknown: 0,
  any: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
} as const;

export const AclResource = {
  unknown: 0,
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  transactionalId: 5,
  delegationToken: 6,
  user: 7,
} as const;

export const PatternType = { unknown: 0, any: 1, match: 2, literal: 3, prefixed: 4 } as const;
export const AclPermission = { unknown: 0, any: 1, deny: 2, allow: 3 } as const;

/** The only resource of its type. */
export const CLUSTER_NAME = 'kafka-cluster';
/** As a literal name: every resource of the type. As a host, or behind `User:`, everybody. */
export const WILDCARD = '*';

/** The resources that a rule is about: one, all that begin with a name, or all of a type. */
export interface ResourcePattern {
  readonly resourceType: number;
  readonly patternType: number;
  readonly name: string;
}

/** Who may do what, or may not. */
export interface AclEntry {
  /** `Type:name`. */
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permission: number;
}

export interface AclBinding {
  readonly pattern: ResourcePattern;
  readonly entry: AclEntry;
}

const nameTable = (codes: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(codes).map(([name, code]) => [code, name.charAt(0).toUpperCase() + name.slice(1)]));

const operationNames = nameTable(AclOperation);
const resourceTypeNames = nameTable(AclResource);
const patternTypeNames = nameTable(PatternType);
const permissionNames = nameTable(AclPermission);

/** `DescribeConfigs`, as it stands in znodes and in the log; of an unknown code `Unknown`. */
export const operationName = (code: number): string => operationNames.get(code) ?? 'Unknown';
/** `TransactionalId`, as in the paths of znodes. */
export const resourceTypeName = (code: number): string => resourceTypeNames.get(code) ?? 'Unknown';
export const permissionName = (code: number): string => permissionNames.get(code) ?? 'Unknown';
/** `TRANSACTIONAL_ID`, as Java names its constants. */
export const resourceTypeConstant = (code: number): string => constantOf(resourceTypeName(code));
/** `DESCRIBE_CONFIGS`. */
export const operationConstant = (code: number): string => constantOf(operationName(code));
/** `ALLOW`. */
export const permissionConstant = (code: number): string => constantOf(permissionName(code));
/** `PREFIXED`. */
export const patternTypeConstant = (code: number): string => constantOf(patternTypeNames.get(code) ?? 'Unknown');

const constantOf = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();

/** Names are read whatever their case, and with or without the underscores of constants: versions differ in what they wrote. */
function codeOf(names: ReadonlyMap<number, string>, text: unknown): number {
  const wanted = String(text).replaceAll('_', '').toUpperCase();
  for (const [code, name] of names) if (name.toUpperCase() === wanted) return code;
  return 0;
}

/** As people type it: `DescribeConfigs`, whatever the case, but without underscores. */
export const operationNamed = (text: string): number => (text.includes('_') ? 0 : codeOf(operationNames, text));
export const resourceTypeOf = (text: unknown): number => codeOf(resourceTypeNames, text);
export const patternTypeOf = (text: unknown): number => codeOf(patternTypeNames, text);

/** A code that stands for one thing: not for any, nor for what this version does not know. */
export const isOneOperation = (code: number): boolean => code > AclOperation.any && operationNames.has(code);
export const isOneResourceType = (code: number): boolean => code > AclResource.any && resourceTypeNames.has(code);
export const isOnePermission = (code: number): boolean => code > AclPermission.any && permissionNames.has(code);
export const isOnePatternType = (code: number): boolean =>
  code === PatternType.literal || code === PatternType.prefixed;

/** As Java prints it, in messages and in the log. */
export function showPattern({ resourceType, name, patternType }: ResourcePattern): string {
  const type = resourceTypeConstant(resourceType);
  return `ResourcePattern(resourceType=${type}, name=${name}, patternType=${patternTypeConstant(patternType)})`;
}

export const isSameEntry = (one: AclEntry, other: AclEntry): boolean =>
  one.principal === other.principal &&
  one.host === other.host &&
  one.operation === other.operation &&
  one.permission === other.permission;

/** The ACLs of one resource as its znode holds them, keys in the order of 3.9. */
export function encodeAcls(entries: readonly AclEntry[]): Uint8Array {
  return encodeJson({
    acls: entries.map(({ principal, permission, operation, host }) => ({
      principal,
      permissionType: permissionName(permission),
      host,
      operation: operationName(operation),
    })),
    version: 1,
  });
}

/** What cannot be read is no ACL: a damaged znode must not stop a broker, but it allows nothing. */
export function decodeAcls(bytes: Uint8Array | null): AclEntry[] {
  const json = decodeJson(bytes);
  if (json?.version !== 1 || !Array.isArray(json.acls)) return [];
  const entries: AclEntry[] = [];
  for (const acl of json.acls as Record<string, unknown>[]) {
    const entry = {
      principal: String(acl.principal),
      host: String(acl.host),
      operation: codeOf(operationNames, acl.operation),
      permission: codeOf(permissionNames, acl.permissionType),
    };
    if (!entries.some((known) => isSameEntry(known, entry))) entries.push(entry);
  }
  return entries;
}

/** A change of a literal resource's ACLs: `TOPIC:name`. */
export function encodeLiteralChange({ resourceType, name }: ResourcePattern): Uint8Array {
  return Buffer.from(`${resourceTypeConstant(resourceType)}:${name}`);
}

/** Undefined for what nobody can read. */
export function decodeLiteralChange(bytes: Uint8Array | null): ResourcePattern | undefined {
  const text = Buffer.from(bytes ?? []).toString();
  const colon = text.indexOf(':');
  const resourceType = resourceTypeOf(text.slice(0, Math.max(0, colon)));
  if (colon < 0 || !isOneResourceType(resourceType)) return undefined;
  return { resourceType, patternType: PatternType.literal, name: text.slice(colon + 1) };
}

/** A change of the ACLs of a pattern that is not literal. */
export function encodeExtendedChange({ resourceType, patternType, name }: ResourcePattern): Uint8Array {
  return encodeJson({
    version: 1,
    resourceType: resourceTypeConstant(resourceType),
    name,
    patternType: patternTypeConstant(patternType),
  });
}

export function decodeExtendedChange(bytes: Uint8Array | null): ResourcePattern | undefined {
  const json = decodeJson(bytes);
  const resourceType = resourceTypeOf(json?.resourceType);
  const patternType = patternTypeOf(json?.patternType);
  if (json?.version !== 1 || !isOneResourceType(resourceType) || !isOnePatternType(patternType)) return undefined;
  return { resourceType, patternType, name: String(json.name) };
}
