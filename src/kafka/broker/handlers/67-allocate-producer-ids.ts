import { build } from '../../../wire/schema.ts';
import type { Reign } from '../../controller/reign.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../../protocol/messages/67-allocate-producer-ids.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError } from '../request-errors.ts';

/** The controller reserves a block of producer ids for a broker that lives (KIP-730). */
export function allocateProducerIdsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AllocateProducerIdsRequest,
    response: AllocateProducerIdsResponse,
    versions: '0',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(AllocateProducerIdsResponse, refusal));
      }
      broker.controller
        .request('producer ids', (reign) => {
          checkBroker(reign, request);
          return broker.zk.allocateProducerIds(request.brokerId);
        })
        .then(
          ({ first, count }) =>
            responder.answer(build(AllocateProducerIdsResponse, { producerIdStart: first, producerIdLen: count })),
          (error: unknown) =>
            responder.answer(build(AllocateProducerIdsResponse, { errorCode: asKafkaError(error).code })),
        );
    },
  });
}

function checkBroker({ context }: Reign, { brokerId, brokerEpoch }: AllocateProducerIdsRequest): void {
  const live = context.brokers.get(brokerId);
  if (live === undefined) throw new KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED);
  if (live.epoch !== brokerEpoch) throw new KafkaError(ErrorCode.STALE_BROKER_EPOCH);
}
