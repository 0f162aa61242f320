import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../../protocol/messages/38-create-delegation-token.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

const ANONYMOUS = { type: 'User', name: 'ANONYMOUS' } as const;

/**
 * Tokens are for clients that have authenticated, and ours are anonymous (KIP-48, `KafkaApis.allowTokenRequests`).
 *
 * v3  the answer names the requester beside the owner
 */
export function createDelegationTokenHandler(): ApiHandler {
  return apiHandler({
    request: CreateDelegationTokenRequest,
    response: CreateDelegationTokenResponse,
    versions: '0-3',
    handle(request, context, responder) {
      const hasOwner = request.ownerPrincipalName !== null && request.ownerPrincipalName !== '';
      responder.answer(
        build(CreateDelegationTokenResponse, {
          errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
          principalType: hasOwner ? (request.ownerPrincipalType ?? '') : ANONYMOUS.type,
          principalName: hasOwner ? (request.ownerPrincipalName ?? '') : ANONYMOUS.name,
          issueTimestampMs: -1,
          expiryTimestampMs: -1,
          maxTimestampMs: -1,
          ...(context.apiVersion < 3
            ? {}
            : { tokenRequesterPrincipalType: ANONYMOUS.type, tokenRequesterPrincipalName: ANONYMOUS.name }),
        }),
      );
    },
  });
}
