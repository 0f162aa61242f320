import type { ApiHandler } from './api-handler.ts';
import type { BrokerContext } from './broker-context.ts';
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
import { apiVersionsHandler } from './handlers/18-api-versions.ts';
import { createTopicsHandler } from './handlers/19-create-topics.ts';
import { deleteTopicsHandler } from './handlers/20-delete-topics.ts';
import { initProducerIdHandler } from './handlers/22-init-producer-id.ts';
import { describeConfigsHandler } from './handlers/32-describe-configs.ts';
import { alterConfigsHandler } from './handlers/33-alter-configs.ts';
import { createPartitionsHandler } from './handlers/37-create-partitions.ts';
import { deleteGroupsHandler } from './handlers/42-delete-groups.ts';
import { incrementalAlterConfigsHandler } from './handlers/44-incremental-alter-configs.ts';
import { offsetDeleteHandler } from './handlers/47-offset-delete.ts';
import { describeClientQuotasHandler } from './handlers/48-describe-client-quotas.ts';
import { alterClientQuotasHandler } from './handlers/49-alter-client-quotas.ts';
import { describeClusterHandler } from './handlers/60-describe-cluster.ts';

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
    apiVersionsHandler(handlers),
    createTopicsHandler(broker),
    deleteTopicsHandler(broker),
    initProducerIdHandler(broker),
    describeConfigsHandler(broker),
    alterConfigsHandler(broker),
    createPartitionsHandler(broker),
    deleteGroupsHandler(broker),
    incrementalAlterConfigsHandler(broker),
    offsetDeleteHandler(broker),
    describeClientQuotasHandler(broker),
    alterClientQuotasHandler(broker),
    describeClusterHandler(broker),
  ];
  for (const handler of all) handlers.set(handler.request.apiKey, handler);
  return handlers;
}
