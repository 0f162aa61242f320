import { build } from '../../../wire/schema.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { altering, rightsTo } from './33-alter-configs.ts';

export function incrementalAlterConfigsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: IncrementalAlterConfigsRequest,
    response: IncrementalAlterConfigsResponse,
    versions: '0-1',
    handle(request, context, responder) {
      const rights = rightsTo(broker, context);
      const altered = request.resources.map(({ resourceType, resourceName, configs }) =>
        altering({ resourceType, resourceName }, request.resources, rights, () =>
          broker.configAdmin.change(
            { type: resourceType, name: resourceName },
            configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value })),
            request.validateOnly,
          ),
        ),
      );
      void Promise.all(altered).then((responses) =>
        responder.answer(build(IncrementalAlterConfigsResponse, { responses })),
      );
    },
  });
}
