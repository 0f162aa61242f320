import type { ApiHandler } from './api-handler.ts';
import type { BrokerContext } from './broker-context.ts';
import { finalizedFeatures } from './features.ts';
import { produceHandler } from './handlers/00-produce.ts';
import { fetchHandler } from './handlers/01-fetch.ts';
import { listOffsetsHandler } from './handlers/02-list-offsets.ts';
import { metadataHandler } from './handlers/03-metadata.ts';
import { leaderAndIsrHandler } from './handlers/04-leader-and-isr.ts';
import { stopReplicaHandler } from './handlers/05-stop-replica.ts';
import { updateMetadataHandler } from './handlers/06-update-metadata.ts';
import { controlledShutdownHandler } from './handlers/07-controlled-shutdown.ts';
import { offsetCommitHandler } from './handlers/08-offset-commit.ts';
import { offsetFetchHandler } from './handlers/09-offset-fetch.ts';
import { findCoordinatorHandler } from './handlers/10-find-coordinator.ts';
import { joinGroupHandler } from './handlers/11-join-group.ts';
import { heartbeatHandler } from './handlers/12-heartbeat.ts';
import { leaveGroupHandler } from './handlers/13-leave-group.ts';
import { syncGroupHandler } from './handlers/14-sync-group.ts';
import { describeGroupsHandler } from './handlers/15-describe-groups.ts';
import { listGroupsHandler } from './handlers/16-list-groups.ts';
import { saslHandshakeHandler } from './handlers/17-sasl-handshake.ts';
import { apiVersionsHandler } from './handlers/18-api-versions.ts';
import { createTopicsHandler } from './handlers/19-create-topics.ts';
import { deleteTopicsHandler } from './handlers/20-delete-topics.ts';
import { deleteRecordsHandler } from './handlers/21-delete-records.ts';
import { initProducerIdHandler } from './handlers/22-init-producer-id.ts';
import { offsetForLeaderEpochHandler } from './handlers/23-offset-for-leader-epoch.ts';
import { addPartitionsToTxnHandler } from './handlers/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnHandler } from './handlers/25-add-offsets-to-txn.ts';
import { endTxnHandler } from './handlers/26-end-txn.ts';
import { writeTxnMarkersHandler } from './handlers/27-write-txn-markers.ts';
import { txnOffsetCommitHandler } from './handlers/28-txn-offset-commit.ts';
import { describeAclsHandler } from './handlers/29-describe-acls.ts';
import { createAclsHandler } from './handlers/30-create-acls.ts';
import { deleteAclsHandler } from './handlers/31-delete-acls.ts';
import { describeConfigsHandler } from './handlers/32-describe-configs.ts';
import { alterConfigsHandler } from './handlers/33-alter-configs.ts';
import { alterReplicaLogDirsHandler } from './handlers/34-alter-replica-log-dirs.ts';
import { describeLogDirsHandler } from './handlers/35-describe-log-dirs.ts';
import { saslAuthenticateHandler } from './handlers/36-sasl-authenticate.ts';
import { createPartitionsHandler } from './handlers/37-create-partitions.ts';
import { createDelegationTokenHandler } from './handlers/38-create-delegation-token.ts';
import { renewDelegationTokenHandler } from './handlers/39-renew-delegation-token.ts';
import { expireDelegationTokenHandler } from './handlers/40-expire-delegation-token.ts';
import { describeDelegationTokenHandler } from './handlers/41-describe-delegation-token.ts';
import { deleteGroupsHandler } from './handlers/42-delete-groups.ts';
import { electLeadersHandler } from './handlers/43-elect-leaders.ts';
import { incrementalAlterConfigsHandler } from './handlers/44-incremental-alter-configs.ts';
import { alterPartitionReassignmentsHandler } from './handlers/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsHandler } from './handlers/46-list-partition-reassignments.ts';
import { offsetDeleteHandler } from './handlers/47-offset-delete.ts';
import { describeClientQuotasHandler } from './handlers/48-describe-client-quotas.ts';
import { alterClientQuotasHandler } from './handlers/49-alter-client-quotas.ts';
import { describeUserScramCredentialsHandler } from './handlers/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsHandler } from './handlers/51-alter-user-scram-credentials.ts';
import { alterPartitionHandler } from './handlers/56-alter-partition.ts';
import { updateFeaturesHandler } from './handlers/57-update-features.ts';
import { envelopeHandler } from './handlers/58-envelope.ts';
import { describeClusterHandler } from './handlers/60-describe-cluster.ts';
import { describeProducersHandler } from './handlers/61-describe-producers.ts';
import { describeTransactionsHandler } from './handlers/65-describe-transactions.ts';
import { listTransactionsHandler } from './handlers/66-list-transactions.ts';
import { allocateProducerIdsHandler } from './handlers/67-allocate-producer-ids.ts';
import { consumerGroupHeartbeatHandler } from './handlers/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeHandler } from './handlers/69-consumer-group-describe.ts';
import { getTelemetrySubscriptionsHandler } from './handlers/71-get-telemetry-subscriptions.ts';
import { pushTelemetryHandler } from './handlers/72-push-telemetry.ts';
import { listConfigResourcesHandler } from './handlers/74-list-config-resources.ts';
import { describeTopicPartitionsHandler } from './handlers/75-describe-topic-partitions.ts';
import { shareGroupHeartbeatHandler } from './handlers/76-share-group-heartbeat.ts';
import { shareGroupDescribeHandler } from './handlers/77-share-group-describe.ts';
import { shareFetchHandler } from './handlers/78-share-fetch.ts';
import { shareAcknowledgeHandler } from './handlers/79-share-acknowledge.ts';
import { initializeShareGroupStateHandler } from './handlers/83-initialize-share-group-state.ts';
import { readShareGroupStateHandler } from './handlers/84-read-share-group-state.ts';
import { writeShareGroupStateHandler } from './handlers/85-write-share-group-state.ts';
import { deleteShareGroupStateHandler } from './handlers/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryHandler } from './handlers/87-read-share-group-state-summary.ts';
import { streamsGroupHeartbeatHandler } from './handlers/88-streams-group-heartbeat.ts';
import { streamsGroupDescribeHandler } from './handlers/89-streams-group-describe.ts';
import { describeShareGroupOffsetsHandler } from './handlers/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsetsHandler } from './handlers/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsHandler } from './handlers/92-delete-share-group-offsets.ts';
import { streamsGroupTopologyDescriptionUpdateHandler } from './handlers/93-streams-group-topology-description-update.ts';

/** Every request that this broker honours, by API key: ApiVersions advertises exactly these. */
export function registerHandlers(broker: BrokerContext): ReadonlyMap<number, ApiHandler> {
  const handlers = new Map<number, ApiHandler>();
  const all = [
    produceHandler(broker),
    fetchHandler(broker),
    listOffsetsHandler(broker),
    metadataHandler(broker),
    leaderAndIsrHandler(broker),
    stopReplicaHandler(broker),
    updateMetadataHandler(broker),
    controlledShutdownHandler(broker),
    offsetCommitHandler(broker),
    offsetFetchHandler(broker),
    findCoordinatorHandler(broker),
    joinGroupHandler(broker),
    heartbeatHandler(broker),
    leaveGroupHandler(broker),
    syncGroupHandler(broker),
    describeGroupsHandler(broker),
    listGroupsHandler(broker),
    saslHandshakeHandler(),
    apiVersionsHandler(handlers, () => finalizedFeatures(broker.config)),
    createTopicsHandler(broker),
    deleteTopicsHandler(broker),
    deleteRecordsHandler(broker),
    initProducerIdHandler(broker),
    offsetForLeaderEpochHandler(broker),
    addPartitionsToTxnHandler(broker),
    addOffsetsToTxnHandler(broker),
    endTxnHandler(broker),
    writeTxnMarkersHandler(broker),
    txnOffsetCommitHandler(broker),
    describeAclsHandler(broker),
    createAclsHandler(broker),
    deleteAclsHandler(broker),
    describeConfigsHandler(broker),
    alterConfigsHandler(broker),
    alterReplicaLogDirsHandler(broker),
    describeLogDirsHandler(broker),
    saslAuthenticateHandler(),
    createPartitionsHandler(broker),
    createDelegationTokenHandler(broker),
    renewDelegationTokenHandler(broker),
    expireDelegationTokenHandler(broker),
    describeDelegationTokenHandler(broker),
    deleteGroupsHandler(broker),
    electLeadersHandler(broker),
    incrementalAlterConfigsHandler(broker),
    alterPartitionReassignmentsHandler(broker),
    listPartitionReassignmentsHandler(broker),
    offsetDeleteHandler(broker),
    describeClientQuotasHandler(broker),
    alterClientQuotasHandler(broker),
    describeUserScramCredentialsHandler(broker),
    alterUserScramCredentialsHandler(broker),
    alterPartitionHandler(broker),
    updateFeaturesHandler(broker),
    envelopeHandler(),
    describeClusterHandler(broker),
    describeProducersHandler(broker),
    describeTransactionsHandler(broker),
    listTransactionsHandler(broker),
    allocateProducerIdsHandler(broker),
    consumerGroupHeartbeatHandler(broker),
    consumerGroupDescribeHandler(broker),
    getTelemetrySubscriptionsHandler(broker),
    pushTelemetryHandler(broker),
    listConfigResourcesHandler(broker),
    describeTopicPartitionsHandler(broker),
    shareGroupHeartbeatHandler(broker),
    shareGroupDescribeHandler(broker),
    shareFetchHandler(broker),
    shareAcknowledgeHandler(broker),
    initializeShareGroupStateHandler(broker),
    readShareGroupStateHandler(broker),
    writeShareGroupStateHandler(broker),
    deleteShareGroupStateHandler(broker),
    readShareGroupStateSummaryHandler(broker),
    streamsGroupHeartbeatHandler(broker),
    streamsGroupDescribeHandler(broker),
    describeShareGroupOffsetsHandler(broker),
    alterShareGroupOffsetsHandler(broker),
    deleteShareGroupOffsetsHandler(broker),
    streamsGroupTopologyDescriptionUpdateHandler(broker),
  ];
  for (const handler of all) handlers.set(handler.request.apiKey, handler);
  return handlers;
}
