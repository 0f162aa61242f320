import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { configRefusal } from '../config-rights.ts';
import { asKafkaError } from '../request-errors.ts';

type Result = AlterConfigsResponse['responses'][number];

export function alterConfigsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterConfigsRequest,
    response: AlterConfigsResponse,
    versions: '0-2',
    handle(request, context, responder) {
      const rights = rightsTo(broker, context);
      const altered = request.resources.map(({ resourceType, resourceName, configs }) =>
        altering({ resourceType, resourceName }, request.resources, rights, () =>
          broker.configAdmin.replace({ type: resourceType, name: resourceName }, configs, request.validateOnly),
        ),
      );
      void Promise.all(altered).then((responses) => responder.answer(build(AlterConfigsResponse, { responses })));
    },
  });
}

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Answers an error code. */
export type Rights = (resource: Resource) => number;

export function rightsTo(broker: BrokerContext, context: RequestContext): Rights {
  return (resource) => configRefusal(broker, context, AclOperation.alterConfigs, resource);
}

/** One resource's part of the answer; a failure is a value. */
export async function altering(
  resource: Resource,
  all: readonly Resource[],
  rights: Rights,
  alter: () => Promise<void>,
): Promise<Result> {
  try {
    const same = all.filter(
      ({ resourceType, resourceName }) =>
        resourceType === resource.resourceType && resourceName === resource.resourceName,
    );
    if (same.length > 1) throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.');
    const refusal = rights(resource);
    if (refusal !== ErrorCode.NONE) return { ...resource, errorCode: refusal, errorMessage: null };
    await alter();
    return { ...resource, errorCode: 0, errorMessage: null };
  } catch (error) {
    const { code, message } = asKafkaError(error);
    return { ...resource, errorCode: code, errorMessage: code === ErrorCode.UNKNOWN_SERVER_ERROR ? null : message };
  }
}
