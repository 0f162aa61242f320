import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { ScramAdmin } from '../scram-admin.ts';

/** Only the controller changes credentials; what it writes every broker reads. */
export function alterUserScramCredentialsHandler(broker: BrokerContext): ApiHandler {
  const admin = new ScramAdmin(broker.zk);
  return apiHandler({
    request: AlterUserScramCredentialsRequest,
    response: AlterUserScramCredentialsResponse,
    versions: '0',
    handle(request, _context, responder) {
      if (!broker.controller.isActive) {
        const users = new Set([...request.upsertions, ...request.deletions].map(({ name }) => name));
        const refusal = { errorCode: ErrorCode.NOT_CONTROLLER, errorMessage: null };
        const results = [...users].map((user) => ({ user, ...refusal }));
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
