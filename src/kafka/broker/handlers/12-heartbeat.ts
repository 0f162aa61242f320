import { build } from '../../../wire/schema.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

export function heartbeatHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: HeartbeatRequest,
    response: HeartbeatResponse,
    versions: '0-4',
    handle(request, _context, responder) {
      broker.groups.heartbeat(request, (errorCode) => responder.answer(build(HeartbeatResponse, { errorCode })));
    },
  });
}
