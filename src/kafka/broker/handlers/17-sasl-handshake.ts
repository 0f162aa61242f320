import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** On a listener without SASL there is nothing to agree on: Apache names no mechanism there. */
export function saslHandshakeHandler(): ApiHandler {
  return apiHandler({
    request: SaslHandshakeRequest,
    response: SaslHandshakeResponse,
    versions: '0-1',
    handle(_request, _context, responder) {
      responder.answer(build(SaslHandshakeResponse, { errorCode: ErrorCode.ILLEGAL_SASL_STATE }));
    },
  });
}
