import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/30-create-acls.ts';
import {
  type AclBinding,
  AclOperation,
  AclResource,
  CLUSTER_NAME,
  isOneOperation,
  isOnePatternType,
  isOnePermission,
  isOneResourceType,
} from '../../security/acl.ts';
import type { AclStore } from '../../security/acl-store.ts';
import { isFilter, isUnreadable } from '../acl-requests.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { clusterRefusal, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type Creation = CreateAclsRequest['creations'][number];
type Result = CreateAclsResponse['results'][number];

/** Any broker does, it writes to ZooKeeper itself. Each ACL stands for itself (`AclApis.handleCreateAcls`). */
export function createAclsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: CreateAclsRequest,
    response: CreateAclsResponse,
    versions: '0-3',
    handle({ creations }, context, responder) {
      const bindings = creations.map(bindingOf);
      if (bindings.map(codesOf).some(isUnreadable)) return responder.close('an ACL with unknown elements');
      const answer = (results: Result[]): void => responder.answer(build(CreateAclsResponse, { results }));
      const refusal = refusalOf(broker, context);
      if (refusal !== undefined || broker.acls === undefined) return answer(creations.map(() => resultOf(refusal)));
      if (bindings.map(codesOf).some(isFilter)) {
        return answer(creations.map(() => resultOf(new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR))));
      }
      void createAll(broker.acls, bindings).then(answer);
    },
  });
}

/** Without an authorizer each creation is refused, before it is looked at. */
function refusalOf(broker: BrokerContext, context: RequestContext): KafkaError | undefined {
  if (!mayOnCluster(broker, context, AclOperation.alter)) return clusterRefusal(context);
  return broker.acls === undefined
    ? new KafkaError(ErrorCode.SECURITY_DISABLED, 'No Authorizer is configured.')
    : undefined;
}

async function createAll(acls: AclStore, bindings: readonly AclBinding[]): Promise<Result[]> {
  const faults = bindings.map(faultOf);
  const errors = (await acls.create(bindings.filter((_, index) => faults[index] === undefined))).values();
  return faults.map((fault) => resultOf(fault ?? errors.next().value));
}

function bindingOf(creation: Creation): AclBinding {
  const { resourceType, resourcePatternType: patternType, resourceName: name } = creation;
  const { principal, host, operation, permissionType: permission } = creation;
  return { pattern: { resourceType, patternType, name }, entry: { principal, host, operation, permission } };
}

const codesOf = ({ pattern, entry }: AclBinding) => ({ ...pattern, ...entry });

function faultOf({ pattern, entry }: AclBinding): KafkaError | undefined {
  const invalid = (text: string): KafkaError => new KafkaError(ErrorCode.INVALID_REQUEST, text);
  const { resourceType, patternType, name } = pattern;
  if (resourceType === AclResource.cluster && name !== CLUSTER_NAME) {
    return invalid(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`);
  }
  if (name === '') return invalid('Invalid empty resource name');
  const isKnown =
    isOneResourceType(resourceType) &&
    isOnePatternType(patternType) &&
    isOneOperation(entry.operation) &&
    isOnePermission(entry.permission);
  return isKnown && !name.includes('/') ? undefined : invalid('Failed to create ACL');
}

/** What went wrong within the broker is not told. */
function resultOf(error: unknown): Result {
  if (error === undefined) return { errorCode: ErrorCode.NONE, errorMessage: '' };
  const { code, message } = asKafkaError(error);
  return { errorCode: code, errorMessage: code === ErrorCode.UNKNOWN_SERVER_ERROR ? null : message };
}
