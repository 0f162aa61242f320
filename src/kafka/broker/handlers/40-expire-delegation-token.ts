import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../../protocol/messages/40-expire-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Tokens are for clients that have authenticated, and ours are anonymous (KIP-48, `KafkaApis.allowTokenRequests`). */
export function expireDelegationTokenHandler(): ApiHandler {
  return apiHandler({
    request: ExpireDelegationTokenRequest,
    response: ExpireDelegationTokenResponse,
    versions: '0-2',
    handle(_request, _context, responder) {
      const errorCode = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
      responder.answer(build(ExpireDelegationTokenResponse, { errorCode, expiryTimestampMs: -1 }));
    },
  });
}
