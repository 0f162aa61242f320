import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { ScramAdmin } from '../scram-admin.ts';

/** Only the controller changes credentials; what it writes every broker reads. */
export function alterUserScramCredentialsHandler(broker: BrokerContext): ApiHandler {
  const admin = new ScramAdmin(broker.zk);
  return apiHandler({
    request: AlterUserScramCredentialsRequest,
    response: AlterUserScramCredentialsResponse,
    versions: '0',
    handle(request, context, responder) {
      const refusal = refusalOf(broker, context);
      if (refusal !== ErrorCode.NONE) {
        const users = new Set([...request.upsertions, ...request.deletions].map(({ name }) => name));
        const results = [...users].sort().map((user) => ({ user, errorCode: refusal, errorMessage: null }));
        return responder.answer(build(AlterUserScramCredentialsResponse, { results }));
      }
      void admin
        .alter(request)
        .then((outcomes) => {
          const results = outcomes.map(({ user, result }) => ({
            user,
            errorCode: result instanceof KafkaError ? result.code : ErrorCode.NONE,
            errorMessage: result instanceof KafkaError ? result.message : '',
          }));
          responder.answer(build(AlterUserScramCredentialsResponse, { results }));
        })
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

function refusalOf(broker: BrokerContext, context: RequestContext): number {
  if (!broker.controller.isActive) return ErrorCode.NOT_CONTROLLER;
  return mayOnCluster(broker, context, AclOperation.alter) ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
}
