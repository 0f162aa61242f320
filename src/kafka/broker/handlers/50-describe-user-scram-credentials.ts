import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../../protocol/messages/50-describe-user-scram-credentials.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';
import { ScramAdmin } from '../scram-admin.ts';

/** Which mechanisms users have credentials for; every broker answers from ZooKeeper. */
export function describeUserScramCredentialsHandler(broker: BrokerContext): ApiHandler {
  const admin = new ScramAdmin(broker.zk);
  return apiHandler({
    request: DescribeUserScramCredentialsRequest,
    response: DescribeUserScramCredentialsResponse,
    versions: '0',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.describe)) {
        const error = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null };
        // As Apache's: one for each user, without the name.
        const results = (request.users ?? []).map(() => ({ user: '', ...error, credentialInfos: [] }));
        return responder.answer(build(DescribeUserScramCredentialsResponse, { ...error, results }));
      }
      admin.describe(request.users?.map(({ name }) => name) ?? null).then(
        (outcomes) => {
          const results = outcomes.map(({ user, result }) =>
            result instanceof KafkaError
              ? { user, errorCode: result.code, errorMessage: result.message, credentialInfos: [] }
              : { user, errorCode: ErrorCode.NONE, errorMessage: '', credentialInfos: result },
          );
          responder.answer(build(DescribeUserScramCredentialsResponse, { results }));
        },
        (error: unknown) => {
          const { code, message } = asKafkaError(error);
          responder.answer(build(DescribeUserScramCredentialsResponse, { errorCode: code, errorMessage: message }));
        },
      );
    },
  });
}
