import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/30-create-acls.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Without an authorizer each creation is refused, before it is looked at. */
export function createAclsHandler(): ApiHandler {
  return apiHandler({
    request: CreateAclsRequest,
    response: CreateAclsResponse,
    versions: '0-3',
    handle(request, _context, responder) {
      const refusal = { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' };
      responder.answer(build(CreateAclsResponse, { results: request.creations.map(() => refusal) }));
    },
  });
}
