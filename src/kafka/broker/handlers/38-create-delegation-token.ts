import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../../protocol/messages/38-create-delegation-token.ts';
import {
  anonymous,
  isSamePrincipal,
  type Principal,
  principalText,
  USER_TYPE,
} from '../../security/tokens/principal.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import type { SecretToken } from '../delegation-tokens.ts';
import { asKafkaError } from '../request-errors.ts';
import { isAllowed, mayAskForTokens, requesterOf, type TokenBroker, TokenRight } from '../token-requests.ts';

/**
 * A new delegation token (KIP-48).
 *
 * v3  for somebody else, too (KIP-373); the answer names the requester beside the owner
 */
export function createDelegationTokenHandler(broker: TokenBroker): ApiHandler {
  return apiHandler({
    request: CreateDelegationTokenRequest,
    response: CreateDelegationTokenResponse,
    versions: '0-3',
    handle(request, context, responder) {
      const parties = partiesIn(request, requesterOf(context));
      const answer = (errorCode: number, { owner, requester } = parties, token = noToken): void => {
        const asker = { tokenRequesterPrincipalType: requester.type, tokenRequesterPrincipalName: requester.name };
        responder.answer(
          build(CreateDelegationTokenResponse, {
            errorCode,
            principalType: owner.type,
            principalName: owner.name,
            ...(context.apiVersion < 3 ? {} : asker),
            ...token,
          }),
        );
      };
      if (request.ownerPrincipalType === null && namesOwner(request)) {
        return answer(ErrorCode.UNKNOWN_SERVER_ERROR, nobody);
      }
      const fault = faultOf(broker, context, parties);
      if (fault !== ErrorCode.NONE) return answer(fault);
      broker.tokens.create(parties, request.maxLifetimeMs).then(
        (created) => answer(ErrorCode.NONE, parties, fieldsOf(created)),
        (error: unknown) => {
          const { code } = asKafkaError(error);
          answer(code, code === ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED ? parties : nobody);
        },
      );
    },
  });
}

const noToken: Partial<CreateDelegationTokenResponse> = {
  issueTimestampMs: -1,
  expiryTimestampMs: -1,
  maxTimestampMs: -1,
};

interface Parties {
  readonly requester: Principal;
  readonly owner: Principal;
  readonly renewers: readonly Principal[];
}

/** What went wrong unforeseen is answered without names. */
const nobody = { requester: anonymous, owner: anonymous, renewers: [] };

function namesOwner({ ownerPrincipalName }: CreateDelegationTokenRequest): boolean {
  return ownerPrincipalName !== null && ownerPrincipalName !== '';
}

function partiesIn(request: CreateDelegationTokenRequest, requester: Principal): Parties {
  const { ownerPrincipalType, ownerPrincipalName } = request;
  const named = { type: ownerPrincipalType ?? '', name: ownerPrincipalName ?? '' };
  const renewers = request.renewers.map(({ principalType: type, principalName: name }) => ({ type, name }));
  return { requester, owner: namesOwner(request) ? named : requester, renewers };
}

/** In the order in which Apache finds faults. */
function faultOf(broker: TokenBroker, context: RequestContext, { requester, owner, renewers }: Parties): number {
  if (!mayAskForTokens(broker, context)) return ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
  const isForAnother = !isSamePrincipal(owner, requester);
  if (isForAnother && !isAllowed(broker, context, TokenRight.createForUser, principalText(owner))) {
    return ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED;
  }
  const isOdd = renewers.some(({ type }) => type !== USER_TYPE);
  return isOdd ? ErrorCode.INVALID_PRINCIPAL_TYPE : ErrorCode.NONE;
}

function fieldsOf({ token, hmac }: SecretToken): Partial<CreateDelegationTokenResponse> {
  const { issueTimestampMs, expiryTimestampMs, maxTimestampMs, tokenId } = token;
  return { issueTimestampMs, expiryTimestampMs, maxTimestampMs, tokenId, hmac };
}
