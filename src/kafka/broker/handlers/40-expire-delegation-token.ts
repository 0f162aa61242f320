import { build } from '../../../wire/schema.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../../protocol/messages/40-expire-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { answerTokenChange, type TokenBroker } from '../token-requests.ts';

/** A delegation token ends, at once or later (KIP-48): its owner and its renewers may ask. */
export function expireDelegationTokenHandler(broker: TokenBroker): ApiHandler {
  return apiHandler({
    request: ExpireDelegationTokenRequest,
    response: ExpireDelegationTokenResponse,
    versions: '0-2',
    handle({ hmac, expiryTimePeriodMs: periodMs }, context, responder) {
      answerTokenChange(broker, context, {
        change: (principal) => broker.tokens.expire({ principal, hmac, periodMs }),
        answer: (outcome) => responder.answer(build(ExpireDelegationTokenResponse, outcome)),
      });
    },
  });
}
