import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerNode } from './cluster-metadata.ts';

export const coordinatorTypes = { group: 0, transaction: 1 } as const;
export type CoordinatorType = keyof typeof coordinatorTypes;

/** Which broker coordinates a group or a transactional id now. One attempt. @throws KafkaError */
export async function findCoordinator(cluster: Cluster, key: string, type: CoordinatorType): Promise<BrokerNode> {
  const keyType = coordinatorTypes[type];
  const connection = await cluster.any();
  const answer = await connection.request(FindCoordinatorRequest, FindCoordinatorResponse, (version) => ({
    ...(version >= 4 ? { coordinatorKeys: [key] } : { key }),
    ...(version >= 1 ? { keyType } : {}),
  }));
  const found = answer.coordinators[0] ?? answer;
  if (found.errorCode !== ErrorCode.NONE) throw errorOf(found.errorCode, found.errorMessage);
  if (!cluster.metadata.brokers.has(found.nodeId)) await cluster.refresh([]);
  return { id: found.nodeId, host: found.host, port: found.port, rack: null };
}
