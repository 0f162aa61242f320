import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from '../../protocol/messages/39-renew-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Tokens are for clients that have authenticated, and ours are anonymous (KIP-48, `KafkaApis.allowTokenRequests`). */
export function renewDelegationTokenHandler(): ApiHandler {
  return apiHandler({
    request: RenewDelegationTokenRequest,
    response: RenewDelegationTokenResponse,
    versions: '0-2',
    handle(_request, _context, responder) {
      const errorCode = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
      responder.answer(build(RenewDelegationTokenResponse, { errorCode, expiryTimestampMs: -1 }));
    },
  });
}
