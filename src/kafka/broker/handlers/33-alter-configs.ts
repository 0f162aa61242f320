import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

type Result = AlterConfigsResponse['responses'][number];

export function alterConfigsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterConfigsRequest,
    response: AlterConfigsResponse,
    versions: '0-2',
    handle(request, _context, responder) {
      const altered = request.resources.map(({ resourceType, resourceName, configs }) =>
        altering({ resourceType, resourceName }, () =>
          broker.configAdmin.replace({ type: resourceType, name: resourceName }, configs, request.validateOnly),
        ),
      );
      void Promise.all(altered).then((responses) => responder.answer(build(AlterConfigsResponse, { responses })));
    },
  });
}

/** One resource's part of the answer; a failure is a value. */
export async function altering(
  resource: { readonly resourceType: number; readonly resourceName: string },
  alter: () => Promise<void>,
): Promise<Result> {
  try {
    await alter();
    return { ...resource, errorCode: 0, errorMessage: null };
  } catch (error) {
    const { code, message } = asKafkaError(error);
    return { ...resource, errorCode: code, errorMessage: code === ErrorCode.UNKNOWN_SERVER_ERROR ? null : message };
  }
}
