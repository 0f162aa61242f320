import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '../../protocol/messages/79-share-acknowledge.ts';
import { AclOperation } from '../../security/acl.ts';
import { FINAL_EPOCH, INITIAL_EPOCH, type ShareSession } from '../../share/share-sessions.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import {
  type Acknowledged,
  acknowledgeAll,
  type LeaderHint,
  leaderHint,
  nodeEndpoints,
} from '../share/acknowledgements.ts';

type Responses = ShareAcknowledgeResponse['responses'];
type PartitionData = Responses[number]['partitions'][number];

/** v2 renews what a member holds. */
export function shareAcknowledgeHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareAcknowledgeRequest,
    response: ShareAcknowledgeResponse,
    versions: '1-2',
    handle(request, context, responder) {
      const { topics, isRenewAck: isRenew, shareSessionEpoch } = request;
      let session: ShareSession;
      try {
        session = sessionOf(broker, request, context);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        return responder.answer(build(ShareAcknowledgeResponse, { errorCode: error.code }));
      }
      const { groupId, memberId } = session;
      acknowledgeAll(broker, { context, groupId, memberId, topics, isRenew }, (results) => {
        responder.answer(describe(broker, groupId, results, context));
        if (shareSessionEpoch === FINAL_EPOCH) broker.shares.endSession(session);
      });
    },
  });
}

/** @throws KafkaError for a request that is refused as a whole: acknowledgements open no session */
function sessionOf(broker: BrokerContext, request: ShareAcknowledgeRequest, context: RequestContext): ShareSession {
  const { groupId, memberId, shareSessionEpoch } = request;
  if (groupId === null) throw new KafkaError(ErrorCode.INVALID_REQUEST);
  if (!mayOnGroup(broker, context, AclOperation.read, groupId)) {
    throw new KafkaError(ErrorCode.GROUP_AUTHORIZATION_FAILED);
  }
  if (memberId === null || memberId === '') throw new KafkaError(ErrorCode.INVALID_REQUEST);
  if (shareSessionEpoch === INITIAL_EPOCH) throw new KafkaError(ErrorCode.INVALID_SHARE_SESSION_EPOCH);
  return broker.shares.sessions.resume(groupId, memberId, shareSessionEpoch);
}

function describe(
  broker: BrokerContext,
  groupId: string,
  results: readonly Acknowledged[],
  context: RequestContext,
): ShareAcknowledgeResponse {
  const hints: LeaderHint[] = [];
  const topics = new Map<string, PartitionData[]>();
  for (const { target, errorCode, errorMessage } of results) {
    const currentLeader = { leaderId: 0, leaderEpoch: 0 };
    const data = { partitionIndex: target.partition, errorCode, errorMessage, currentLeader };
    hints.push(...leaderHint(broker, target, errorCode, data));
    const partitions = topics.get(target.topicId);
    if (partitions === undefined) topics.set(target.topicId, [data]);
    else partitions.push(data);
  }
  return build(ShareAcknowledgeResponse, {
    acquisitionLockTimeoutMs: broker.shares.configOf(groupId).recordLockDurationMs,
    responses: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
    nodeEndpoints: nodeEndpoints(broker, hints, context.listenerName),
  });
}
