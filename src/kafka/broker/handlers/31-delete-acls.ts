import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Without an authorizer each filter is refused, before it is looked at. */
export function deleteAclsHandler(): ApiHandler {
  return apiHandler({
    request: DeleteAclsRequest,
    response: DeleteAclsResponse,
    versions: '0-3',
    handle(request, _context, responder) {
      const refusal = {
        errorCode: ErrorCode.SECURITY_DISABLED,
        errorMessage: 'No Authorizer is configured.',
        matchingAcls: [],
      };
      responder.answer(build(DeleteAclsResponse, { filterResults: request.filters.map(() => refusal) }));
    },
  });
}
