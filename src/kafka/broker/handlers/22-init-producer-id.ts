import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';

/** A producer id for an idempotent producer. Transactions have no coordinator here yet, and say so. */
export function initProducerIdHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: InitProducerIdRequest,
    response: InitProducerIdResponse,
    versions: '0-5',
    handle(request, _context, responder) {
      const refuse = (errorCode: number): void =>
        responder.answer(build(InitProducerIdResponse, { errorCode, producerId: -1, producerEpoch: -1 }));
      if (request.transactionalId !== null) return refuse(ErrorCode.INVALID_REQUEST);
      broker.producerIds.next().then(
        (producerId) => responder.answer(build(InitProducerIdResponse, { producerId, producerEpoch: 0 })),
        () => refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS),
      );
    },
  });
}
