import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** A client of a listener without SASL is whom it is from its first byte on: in Apache's words it has authenticated already. */
export function saslAuthenticateHandler(): ApiHandler {
  return apiHandler({
    request: SaslAuthenticateRequest,
    response: SaslAuthenticateResponse,
    versions: '0-2',
    handle(_request, _context, responder) {
      responder.answer(
        build(SaslAuthenticateResponse, {
          errorCode: ErrorCode.ILLEGAL_SASL_STATE,
          errorMessage: 'SaslAuthenticate request received after successful authentication',
        }),
      );
    },
  });
}
