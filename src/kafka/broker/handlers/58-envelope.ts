import { EnvelopeRequest, EnvelopeResponse } from '../../protocol/messages/58-envelope.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/**
 * Brokers forward requests in envelopes to a KRaft controller (KIP-590). In ZooKeeper mode nobody does, and Apache closes the
 * connection of whoever tries, as if the request could not be read (`KafkaApis.handleEnvelope`).
 */
export function envelopeHandler(): ApiHandler {
  return apiHandler({
    request: EnvelopeRequest,
    response: EnvelopeResponse,
    versions: '0',
    handle(_request, _context, responder) {
      responder.close('an envelope came although forwarding is not enabled');
    },
  });
}
