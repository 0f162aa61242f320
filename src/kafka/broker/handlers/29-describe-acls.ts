import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';

/** Without an authorizer nobody keeps ACLs (`AclApis.handleDescribeAcls`). */
export function describeAclsHandler(): ApiHandler {
  return apiHandler({
    request: DescribeAclsRequest,
    response: DescribeAclsResponse,
    versions: '0-3',
    handle(_request, _context, responder) {
      responder.answer(
        build(DescribeAclsResponse, {
          errorCode: ErrorCode.SECURITY_DISABLED,
          errorMessage: 'No Authorizer is configured on the broker',
        }),
      );
    },
  });
}
