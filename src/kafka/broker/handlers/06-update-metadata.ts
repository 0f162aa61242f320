import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { UpdateMetadataRequest, UpdateMetadataResponse } from '../../protocol/messages/06-update-metadata.ts';
import type { LiveBroker, MetadataUpdate, PartitionMetadata } from '../../replication/metadata-cache.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Told = UpdateMetadataRequest['topicStates'][number]['partitionStates'][number];

/** Security protocols by number: before v3 a listener had no name but its protocol's. */
const protocolNames = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** The controller tells who is alive and who leads what. */
export function updateMetadataHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: UpdateMetadataRequest,
    response: UpdateMetadataResponse,
    versions: '0-8',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(UpdateMetadataResponse, refusal));
      }
      const errorCode = broker.fence.check(request.controllerEpoch, request.brokerEpoch);
      if (errorCode === ErrorCode.NONE) {
        const update = readUpdate(request, context.apiVersion);
        broker.onMetadataUpdate(broker.metadata.update(update));
        for (const { name } of update.topics) broker.topicPurgatory.check(name);
      }
      responder.answer(build(UpdateMetadataResponse, { errorCode }));
    },
  });
}

function readUpdate(request: UpdateMetadataRequest, version: number): MetadataUpdate {
  const grouped = version >= 5 ? request.topicStates : groupByTopic(request.ungroupedPartitionStates);
  return {
    controllerId: request.controllerId,
    brokers: request.liveBrokers.map((live) => readBroker(live, version)),
    topics: grouped.map(({ topicName, topicId, partitionStates }) => ({
      name: topicName,
      id: topicId,
      partitions: partitionStates.map((told) => readPartition(topicName, told)),
    })),
  };
}

function groupByTopic(states: readonly Told[]): { topicName: string; topicId: string; partitionStates: Told[] }[] {
  const grouped = new Map<string, Told[]>();
  for (const state of states) grouped.set(state.topicName, [...(grouped.get(state.topicName) ?? []), state]);
  return [...grouped].map(([topicName, partitionStates]) => ({ topicName, topicId: ZERO_UUID, partitionStates }));
}

function readBroker(live: UpdateMetadataRequest['liveBrokers'][number], version: number): LiveBroker {
  const endpoints =
    version === 0
      ? [{ listener: 'PLAINTEXT', host: live.v0Host, port: live.v0Port }]
      : live.endpoints.map(({ host, port, listener, securityProtocol }) => ({
          listener: version >= 3 ? listener : (protocolNames[securityProtocol] ?? 'PLAINTEXT'),
          host,
          port,
        }));
  return { id: live.id, rack: live.rack === '' ? null : live.rack, endpoints };
}

function readPartition(topic: string, told: Told): PartitionMetadata {
  return {
    topic,
    partition: told.partitionIndex,
    leader: told.leader,
    leaderEpoch: told.leaderEpoch,
    isr: told.isr,
    replicas: told.replicas,
    offlineReplicas: told.offlineReplicas,
    controllerEpoch: told.controllerEpoch,
    zkVersion: told.zkVersion,
  };
}
