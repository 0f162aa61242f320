import { ErrorCode } from '../protocol/errors.ts';
import type { BrokerContext } from './broker-context.ts';
import { brokersOn } from './reachable-brokers.ts';

export interface CurrentLeader {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** What an answer says of a partition's leader where nobody needs to look for another; never changed. */
export const noLeader: CurrentLeader = { leaderId: -1, leaderEpoch: -1 };

/** Errors after which a client looks for another leader (KIP-951). */
export function tellsLeader(errorCode: number): boolean {
  return errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH;
}

/** As this broker's replica knows it, else the metadata cache (`KafkaApis.getCurrentLeader`). */
export function currentLeaderOf(broker: BrokerContext, topic: string, index: number): CurrentLeader {
  const known = broker.replicas.partition(topic, index) ?? broker.metadata.partition(topic, index);
  return known === undefined ? noLeader : { leaderId: known.leader, leaderEpoch: known.leaderEpoch };
}

/** Where the leaders that an answer names can be reached by the client that asked. */
export function endpointsOf(
  broker: BrokerContext,
  leaders: readonly CurrentLeader[],
  listener: string,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  const ids = new Set(leaders.map(({ leaderId }) => leaderId));
  ids.delete(-1);
  return ids.size === 0 ? [] : brokersOn(broker.metadata, listener).filter(({ nodeId }) => ids.has(nodeId));
}
