import {
  type AclEntry,
  AclOperation,
  AclPermission,
  AclResource,
  CLUSTER_NAME,
  isOnePatternType,
  isSameEntry,
  operationName,
  PatternType,
  patternTypeConstant,
  type ResourcePattern,
  resourceTypeConstant,
  showPattern,
  WILDCARD,
} from '../security/acl.ts';
import { principalOf } from '../security/tokens/principal.ts';
import type { AclGeneration } from './acl-generations.ts';
import { CommandError } from './command-error.ts';
import { usage } from './kafka-acls-options.ts';
import { OptionError, type ParsedOptions } from './option-parser.ts';

/** A pattern, perhaps one that stands for several, and what is to be added to it or removed from it; nothing means everything. */
export interface WantedAcls {
  readonly pattern: ResourcePattern;
  readonly entries: readonly AclEntry[];
}

const { read, write, create, describe, idempotentWrite } = AclOperation;
const { topic, group, cluster, transactionalId, delegationToken, user } = AclResource;
const theCluster: ResourcePattern = {
  resourceType: cluster,
  patternType: PatternType.literal,
  name: CLUSTER_NAME,
};

const resourceOptions = [
  ['topic', topic],
  ['cluster', cluster],
  ['group', group],
  ['transactional-id', transactionalId],
  ['delegation-token', delegationToken],
  ['user-principal', user],
] as const;

/** What the command line asks to add. @throws ToolExit, CommandError, OptionError */
export function aclsToAdd(options: ParsedOptions, generation: AclGeneration): WantedAcls[] {
  const type = patternTypeIn(options);
  if (!isOnePatternType(type)) {
    const name = patternTypeConstant(type);
    throw usage(`A '--resource-pattern-type' value of '${name}' is not valid when adding acls.`);
  }
  const wanted = aclsNamed(options, generation);
  if (wanted.some(({ entries }) => entries.length === 0)) {
    throw usage('You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.');
  }
  return wanted;
}

/** What the command line names, resource by resource. @throws ToolExit, CommandError, OptionError */
export function aclsNamed(options: ParsedOptions, generation: AclGeneration): WantedAcls[] {
  const wanted = new Map<string, WantedAcls>();
  const add = (patterns: readonly ResourcePattern[], operations: readonly number[]): void => {
    for (const pattern of patterns) {
      const key = showPattern(pattern);
      const known = wanted.get(key)?.entries ?? [];
      wanted.set(key, { pattern, entries: distinct([...entriesIn(options, operations), ...known]) });
    }
  };
  const patterns = patternsIn(options);
  if (patterns.length === 0) {
    throw usage(
      'You must provide at least one resource: --topic <topic> or --cluster or --group <group> or --delegation-token <Delegation Token ID>',
    );
  }
  const of = (type: number): ResourcePattern[] => patterns.filter(({ resourceType }) => resourceType === type);
  const [isProducer, isConsumer] = [options.has('producer'), options.has('consumer')];
  if (!isProducer && !isConsumer) add(patterns, operationsIn(options, generation));
  if (isProducer) {
    add(of(topic), [write, describe, create]);
    add(of(transactionalId), [write, describe]);
    if (options.has('idempotent')) add([theCluster], [idempotentWrite]);
  }
  if (isConsumer) {
    add(of(topic), [read, describe]);
    add(of(group), [read]);
  }
  const all = [...wanted.values()];
  for (const each of all) requireOperations(each, generation);
  return all;
}

/** The resources of the command line, each once. @throws OptionError */
export function patternsIn(options: ParsedOptions): ResourcePattern[] {
  const patternType = patternTypeIn(options);
  const patterns = new Map<string, ResourcePattern>();
  const add = (pattern: ResourcePattern): unknown => patterns.set(showPattern(pattern), pattern);
  for (const [option, resourceType] of resourceOptions) {
    if (resourceType === cluster) {
      const isNamed = options.has('cluster') || options.has('idempotent');
      if (isNamed && patternType === PatternType.literal) add(theCluster);
    }
    // A transactional id is what it is, blanks and all.
    const trimmed = (name: string): string => (resourceType === transactionalId ? name : name.trim());
    for (const name of options.values(option)) add({ resourceType, patternType, name: trimmed(name) });
  }
  return [...patterns.values()];
}

/** `User:ann`. @throws CommandError */
export function principalsIn(options: ParsedOptions, option: string): string[] {
  const texts = options.values(option).map((text) => text.trim());
  for (const text of texts) {
    if (principalOf(text) !== undefined) continue;
    throw new CommandError(`expected a string in format principalType:principalName but got ${text}`);
  }
  return [...new Set(texts)];
}

function patternTypeIn(options: ParsedOptions): number {
  const text = options.value('resource-pattern-type') ?? '';
  const { unknown: _, ...known } = PatternType;
  for (const [name, code] of Object.entries(known)) if (name.toUpperCase() === text.toUpperCase()) return code;
  const message = `Cannot parse argument '${text}' of option resource-pattern-type`;
  throw new OptionError('OptionArgumentConversionException', message);
}

function operationsIn(options: ParsedOptions, generation: AclGeneration): number[] {
  if (!options.has('operation')) return [AclOperation.all];
  return options.values('operation').map((text) => generation.operation(text.trim()));
}

function entriesIn(options: ParsedOptions, operations: readonly number[]): AclEntry[] {
  const sides = [
    ['allow', AclPermission.allow],
    ['deny', AclPermission.deny],
  ] as const;
  return sides.flatMap(([side, permission]) => {
    const hosts = options.has(`${side}-host`) ? options.values(`${side}-host`).map((host) => host.trim()) : [WILDCARD];
    return principalsIn(options, `${side}-principal`).flatMap((principal) =>
      operations.map(one).flatMap((operation) => hosts.map((host) => ({ principal, host, operation, permission }))),
    );
  });
}

/** An ACL is about one operation. @throws CommandError */
function one(operation: number): number {
  if (operation === AclOperation.any) throw new CommandError('operation must not be ANY');
  return operation;
}

function distinct(entries: readonly AclEntry[]): AclEntry[] {
  return entries.filter((entry, index) => entries.findIndex((known) => isSameEntry(known, entry)) === index);
}

function requireOperations({ pattern, entries }: WantedAcls, generation: AclGeneration): void {
  const known = generation.operationsOf(pattern.resourceType);
  if (entries.every(({ operation }) => known.includes(operation))) return;
  const names = known.map(operationName).join(generation.separator);
  throw usage(`ResourceType ${resourceTypeConstant(pattern.resourceType)} only supports operations ${names}`);
}
