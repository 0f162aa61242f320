import { javaAddress } from '../../base/java-address.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { AclOperation, AclResource, CLUSTER_NAME } from '../security/acl.ts';
import {
  type Audit,
  type Authorizer,
  asked,
  everythingAllowed,
  onlyTold,
  type Requester,
} from '../security/authorizer.ts';
import type { RequestContext } from './api-handler.ts';

interface Broker {
  readonly authorizer: Authorizer;
}

/** What KafkaApis asks of its authorizer (`AuthHelper`). Operations are codes of `AclOperation`. */
export function mayOnCluster(broker: Broker, requester: Requester, operation: number, audit?: Audit): boolean {
  return broker.authorizer.isAllowed(requester, operation, AclResource.cluster, CLUSTER_NAME, audit);
}

/** Why a request about the cluster is refused, where the answer has words for it. */
export function clusterRefusal({ connectionId, principal, clientAddress, listenerName }: RequestContext): KafkaError {
  const session = `Session(User:${principal},/${javaAddress(clientAddress)})`;
  const request = `Request(connectionId=${connectionId}, session=${session}, listenerName=ListenerName(${listenerName}))`;
  return new KafkaError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, `Request ${request} is not authorized.`);
}

export function mayOnTopic(
  broker: Broker,
  requester: Requester,
  operation: number,
  name: string,
  audit?: Audit,
): boolean {
  return broker.authorizer.isAllowed(requester, operation, AclResource.topic, name, audit);
}

export function mayOnGroup(
  broker: Broker,
  requester: Requester,
  operation: number,
  id: string,
  audit?: Audit,
): boolean {
  return broker.authorizer.isAllowed(requester, operation, AclResource.group, id, audit);
}

export function mayOnTransaction(broker: Broker, requester: Requester, operation: number, id: string): boolean {
  return broker.authorizer.isAllowed(requester, operation, AclResource.transactionalId, id);
}

export interface Names {
  has(name: string): boolean;
}

export const everyName: Names = { has: () => true };
export const noName: Names = { has: () => false };

/** Of these names those with which the requester may do it: each is asked for once, and logged with how often it is named. */
export function allowedTopics(
  broker: Broker,
  requester: Requester,
  operation: number,
  names: Iterable<string>,
  audit: Audit = asked,
): Names {
  if (broker.authorizer === everythingAllowed) return everyName;
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const allowed = new Set<string>();
  for (const [name, references] of counts) {
    if (mayOnTopic(broker, requester, operation, name, { ...audit, references })) allowed.add(name);
  }
  return allowed;
}

/** Clients are not told of topics that they may not describe, however they ask. */
export function mayDescribeAll(broker: Broker, requester: Requester, topics: readonly string[]): boolean {
  const allowed = allowedTopics(broker, requester, AclOperation.describe, new Set(topics));
  return topics.every((topic) => allowed.has(topic));
}

/** What is answered where nobody asked for them, or they cannot be told. */
export const UNKNOWN_OPERATIONS = -2_147_483_648;

const { read, write, create, describe, alter, describeConfigs, alterConfigs } = AclOperation;
const topicOperations = [read, write, create, AclOperation.delete, alter, describe, describeConfigs, alterConfigs];
const groupOperations = [read, AclOperation.delete, describe];
const { clusterAction, idempotentWrite } = AclOperation;
const clusterOperations = [create, alter, describe, clusterAction, describeConfigs, alterConfigs, idempotentWrite];

/** What the requester may do, as bits of the operations' codes (KIP-430). */
function operationsOn(
  broker: Broker,
  requester: Requester,
  operations: readonly number[],
  resourceType: number,
  name: string,
): number {
  const allowed = operations.filter((one) => broker.authorizer.isAllowed(requester, one, resourceType, name, onlyTold));
  return allowed.reduce((sum, code) => sum | (1 << code), 0);
}

export function topicOperationsOf(broker: Broker, requester: Requester, name: string): number {
  return operationsOn(broker, requester, topicOperations, AclResource.topic, name);
}

export function groupOperationsOf(broker: Broker, requester: Requester, id: string): number {
  return operationsOn(broker, requester, groupOperations, AclResource.group, id);
}

/** Since groups have configuration of their own (4.0). */
export function configurableGroupOperationsOf(broker: Broker, requester: Requester, id: string): number {
  const operations = [...groupOperations, describeConfigs, alterConfigs];
  return operationsOn(broker, requester, operations, AclResource.group, id);
}

/** Whoever may not describe the cluster is not told what else. */
export function clusterOperationsOf(broker: Broker, requester: Requester): number {
  if (!mayOnCluster(broker, requester, describe)) return 0;
  return operationsOn(broker, requester, clusterOperations, AclResource.cluster, CLUSTER_NAME);
}
