import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts';
import { AclOperation } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { allowedTopics, everyName, mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { replicaHere } from '../led-partitions.ts';

type Asked = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number];
type Result = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

/**
 * Where an epoch ended in the leader's log: consumers and followers truncate there (KIP-101, KIP-320).
 *
 * v1  the answer names the epoch that was found, the largest that is not above the one asked for
 * v2  with the epoch in which the client believes the leader
 * v3  with the follower's id; a consumer has none
 */
export function offsetForLeaderEpochHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: OffsetForLeaderEpochRequest,
    response: OffsetForLeaderEpochResponse,
    versions: '0-4',
    handle(request, context, responder) {
      const names = request.topics.map(({ topic }) => topic);
      const isBroker = mayOnCluster(broker, context, AclOperation.clusterAction, filtered);
      const allowed = isBroker ? everyName : allowedTopics(broker, context, AclOperation.describe, names);
      const topics = request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((asked) =>
          allowed.has(topic) ? endOf(broker, topic, asked) : failed(asked, ErrorCode.TOPIC_AUTHORIZATION_FAILED),
        ),
      }));
      responder.answer(build(OffsetForLeaderEpochResponse, { topics }));
    },
  });
}

function endOf(broker: BrokerContext, topic: string, asked: Asked): Result {
  const { partition } = asked;
  try {
    const log = replicaHere(broker, topic, partition).leaderLog(asked.currentLeaderEpoch);
    return { partition, errorCode: ErrorCode.NONE, ...log.endOffsetForEpoch(asked.leaderEpoch) };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return failed(asked, error.code);
  }
}

function failed({ partition }: Asked, errorCode: number): Result {
  return { partition, errorCode, leaderEpoch: -1, endOffset: -1 };
}
