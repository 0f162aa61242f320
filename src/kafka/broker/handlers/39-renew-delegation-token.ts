import { build } from '../../../wire/schema.ts';
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from '../../protocol/messages/39-renew-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { answerTokenChange, type TokenBroker } from '../token-requests.ts';

/** A delegation token lives on (KIP-48): its owner and its renewers may ask. */
export function renewDelegationTokenHandler(broker: TokenBroker): ApiHandler {
  return apiHandler({
    request: RenewDelegationTokenRequest,
    response: RenewDelegationTokenResponse,
    versions: '0-2',
    handle({ hmac, renewPeriodMs: periodMs }, context, responder) {
      answerTokenChange(broker, context, {
        change: (principal) => broker.tokens.renew({ principal, hmac, periodMs }),
        answer: (outcome) => responder.answer(build(RenewDelegationTokenResponse, outcome)),
      });
    },
  });
}
