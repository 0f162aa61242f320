import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../../protocol/messages/41-describe-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Tokens are for clients that have authenticated, and ours are anonymous (KIP-48, `KafkaApis.allowTokenRequests`). */
export function describeDelegationTokenHandler(): ApiHandler {
  return apiHandler({
    request: DescribeDelegationTokenRequest,
    response: DescribeDelegationTokenResponse,
    versions: '0-3',
    handle(_request, _context, responder) {
      const errorCode = ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
      responder.answer(build(DescribeDelegationTokenResponse, { errorCode }));
    },
  });
}
