import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { AclOperation, AclResource } from '../security/acl.ts';
import { anonymous, isSamePrincipal, type Principal, USER_TYPE } from '../security/tokens/principal.ts';
import type { RequestContext } from './api-handler.ts';
import type { BrokerContext } from './broker-context.ts';
import { asKafkaError } from './request-errors.ts';

/** What requests about delegation tokens need of a broker. */
export type TokenBroker = Pick<BrokerContext, 'tokens' | 'authorizer'> & {
  readonly config: Pick<BrokerContext['config'], 'listeners'>;
};

export const TokenRight = {
  describeToken: { operation: AclOperation.describe, resourceType: AclResource.delegationToken },
  createForUser: { operation: AclOperation.createTokens, resourceType: AclResource.user },
  describeOfUser: { operation: AclOperation.describeTokens, resourceType: AclResource.user },
} as const;

export function requesterOf({ principal }: RequestContext): Principal {
  return principal === undefined ? anonymous : { type: USER_TYPE, name: principal };
}

/**
 * Tokens are for clients that have said who they are, and not by a token: whoever has one would have others without end
 * (`KafkaApis.allowTokenRequests`).
 */
export function mayAskForTokens({ config }: TokenBroker, context: RequestContext): boolean {
  if (context.isTokenAuthenticated === true) return false;
  const listener = config.listeners.find(({ listenerName }) => listenerName === context.listenerName);
  const isAnonymous = isSamePrincipal(requesterOf(context), anonymous);
  switch (listener?.securityProtocol) {
    case 'SASL_PLAINTEXT':
    case 'SASL_SSL':
      return true;
    case 'SSL':
      return !isAnonymous;
    default:
      return false;
  }
}

export function isAllowed(
  { authorizer }: TokenBroker,
  context: RequestContext,
  right: (typeof TokenRight)[keyof typeof TokenRight],
  name: string,
): boolean {
  return authorizer.isAllowed(context, right.operation, right.resourceType, name);
}

/** How a token is to end at another time, and how that is told. */
export interface TokenChangeRequest {
  /** Answers when the token ends now. */
  change(requester: Principal): Promise<number>;
  answer(outcome: { readonly errorCode: number; readonly expiryTimestampMs: number }): void;
}

export function answerTokenChange(broker: TokenBroker, context: RequestContext, request: TokenChangeRequest): void {
  if (!mayAskForTokens(broker, context)) {
    return request.answer({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, expiryTimestampMs: -1 });
  }
  request.change(requesterOf(context)).then(
    (expiryTimestampMs) => request.answer({ errorCode: ErrorCode.NONE, expiryTimestampMs }),
    (error: unknown) => {
      // What goes wrong unforeseen is answered with the fields as they are when nobody sets them.
      const expiryTimestampMs = error instanceof KafkaError ? -1 : 0;
      request.answer({ errorCode: asKafkaError(error).code, expiryTimestampMs });
    },
  );
}
