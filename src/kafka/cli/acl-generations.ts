import {
  type AclEntry,
  AclOperation,
  AclResource,
  operationConstant,
  operationName,
  operationNamed,
  patternTypeConstant,
  permissionConstant,
  permissionName,
  type ResourcePattern,
  resourceTypeName,
  showPattern,
} from '../security/acl.ts';
import { CommandError } from './command-error.ts';

/** What kafka-acls of 2.1 and of 3.9 do not have in common. */
export interface AclGeneration {
  showPattern(pattern: ResourcePattern): string;
  showEntry(entry: AclEntry): string;
  /** Lists what there is after each change. */
  readonly listsChanges: boolean;
  /** 0 for what nobody knows. @throws CommandError */
  operation(text: string): number;
  /** What the resources of a type know, in the order in which it is told. */
  operationsOf(resourceType: number): readonly number[];
  /** Between the names of those. */
  readonly separator: string;
}

const { topic, group, cluster, transactionalId, delegationToken, user } = AclResource;
const { all, read, write, create, delete: remove, alter, describe, clusterAction } = AclOperation;
const { describeConfigs, alterConfigs, idempotentWrite, createTokens, describeTokens } = AclOperation;

const operations: ReadonlyMap<number, readonly number[]> = new Map([
  [topic, [read, write, create, describe, remove, alter, describeConfigs, alterConfigs, all]],
  [group, [read, describe, remove, all]],
  [cluster, [create, clusterAction, describeConfigs, alterConfigs, idempotentWrite, alter, describe, all]],
  [transactionalId, [describe, write, all]],
  [delegationToken, [describe, all]],
  [user, [createTokens, describeTokens, all]],
]);

/** Nobody altered topics by that name then; the order is that of Scala's sets. */
const oldOperations: ReadonlyMap<number, readonly number[]> = new Map([
  [topic, [read, all, alterConfigs, describeConfigs, remove, write, create, describe]],
  [cluster, [all, alterConfigs, describeConfigs, idempotentWrite, alter, clusterAction, create, describe]],
]);

const oldNames = [
  ...[read, write, create, remove, alter, describe],
  ...[clusterAction, alterConfigs, describeConfigs, idempotentWrite, all],
]
  .map(operationName)
  .join(',');

export const newAcls: AclGeneration = {
  showPattern,
  showEntry: ({ principal, host, operation, permission }) =>
    `(principal=${principal}, host=${host}, operation=${operationConstant(operation)}, permissionType=${permissionConstant(permission)})`,
  listsChanges: false,
  operation: operationNamed,
  operationsOf: (resourceType) => operations.get(resourceType) ?? [],
  separator: ', ',
};

/** Users as resources came later; what is about tokens alone keeps the words that 2.1 would have had for it. */
export const oldAcls: AclGeneration = {
  showPattern: ({ resourceType, patternType, name }) =>
    `${resourceTypeName(resourceType)}:${patternTypeConstant(patternType)}:${name}`,
  showEntry: ({ principal, host, operation, permission }) =>
    `${principal} has ${permissionName(permission)} permission for operations: ${operationName(operation)} from hosts: ${host}`,
  listsChanges: true,
  operation(text) {
    const operation = operationNamed(text);
    if (operation >= all) return operation;
    const message = `${text} not a valid operation name. The valid names are ${oldNames}`;
    throw new CommandError(message, 'kafka.common.KafkaException');
  },
  operationsOf: (resourceType) => oldOperations.get(resourceType) ?? newAcls.operationsOf(resourceType),
  separator: ',',
};
