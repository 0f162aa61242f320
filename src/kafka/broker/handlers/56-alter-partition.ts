import { build } from '../../../wire/schema.ts';
import { alterPartitions } from '../../controller/isr-requests.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { AlterPartitionRequest, AlterPartitionResponse } from '../../protocol/messages/56-alter-partition.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

/** A leader tells the controller who is in sync; `isr-requests.ts` has the versions. */
export function alterPartitionHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterPartitionRequest,
    response: AlterPartitionResponse,
    versions: '0-3',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(AlterPartitionResponse, refusal));
      }
      broker.controller
        .request('ISR request', (reign) => alterPartitions(reign, request, context.apiVersion))
        .then(
          (answer) => responder.answer(answer),
          (error: unknown) => responder.answer(build(AlterPartitionResponse, { errorCode: asKafkaError(error).code })),
        );
    },
  });
}
