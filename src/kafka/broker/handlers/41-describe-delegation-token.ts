import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../../protocol/messages/41-describe-delegation-token.ts';
import { type DelegationToken, isOfConcern } from '../../security/tokens/delegation-token.ts';
import { type Principal, principalText } from '../../security/tokens/principal.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import type { SecretToken } from '../delegation-tokens.ts';
import { isAllowed, mayAskForTokens, requesterOf, type TokenBroker, TokenRight } from '../token-requests.ts';

type Described = DescribeDelegationTokenResponse['tokens'][number];

/**
 * Delegation tokens with their secrets (KIP-48), for those whom they concern, and who may see them.
 *
 * v3  the requester beside the owner (KIP-373)
 */
export function describeDelegationTokenHandler(broker: TokenBroker): ApiHandler {
  return apiHandler({
    request: DescribeDelegationTokenRequest,
    response: DescribeDelegationTokenResponse,
    versions: '0-3',
    handle({ owners }, context, responder) {
      const answer = (errorCode: number, tokens: Described[] = []): void =>
        responder.answer(build(DescribeDelegationTokenResponse, { errorCode, tokens }));
      if (!mayAskForTokens(broker, context)) return answer(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED);
      if (!broker.tokens.isEnabled) return answer(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED);
      const wanted = owners?.map(({ principalType: type, principalName: name }) => ({ type, name })) ?? null;
      const found = broker.tokens.described((token) => isWanted(token, wanted) && maySee(broker, context, token));
      answer(
        ErrorCode.NONE,
        found.map((one) => describe(one, context.apiVersion)),
      );
    },
  });
}

/** Null asks for all, an empty list for none. */
function isWanted(token: DelegationToken, owners: readonly Principal[] | null): boolean {
  return owners === null || owners.some((owner) => isOfConcern(token, owner));
}

function maySee(broker: TokenBroker, context: RequestContext, token: DelegationToken): boolean {
  return (
    isOfConcern(token, requesterOf(context)) ||
    isAllowed(broker, context, TokenRight.describeToken, token.tokenId) ||
    isAllowed(broker, context, TokenRight.describeOfUser, principalText(token.owner))
  );
}

function describe({ token, hmac }: SecretToken, apiVersion: number): Described {
  const { owner, requester } = token;
  return {
    principalType: owner.type,
    principalName: owner.name,
    tokenRequesterPrincipalType: apiVersion < 3 ? '' : requester.type,
    tokenRequesterPrincipalName: apiVersion < 3 ? '' : requester.name,
    issueTimestamp: token.issueTimestampMs,
    expiryTimestamp: token.expiryTimestampMs,
    maxTimestamp: token.maxTimestampMs,
    tokenId: token.tokenId,
    hmac,
    renewers: token.renewers.map(({ type, name }) => ({ principalType: type, principalName: name })),
  };
}
