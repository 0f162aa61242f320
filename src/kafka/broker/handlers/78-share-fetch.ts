import { noSlices } from '../../../base/slices.ts';
import { codecFor } from '../../../wire/codec.ts';
import { build } from '../../../wire/schema.ts';
import { Writer } from '../../../wire/writer.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import { AclOperation } from '../../security/acl.ts';
import { AcquireMode } from '../../share/acquire.ts';
import { FINAL_EPOCH, INITIAL_EPOCH, idOf, type ShareSession, type ShareTarget } from '../../share/share-sessions.ts';
import { type ApiHandler, apiHandler, type RequestContext, type Responder } from '../api-handler.ts';
import { mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import {
  type Acknowledged,
  acknowledgeAll,
  deniedTargets,
  hasAcknowledgements,
  type LeaderHint,
  leaderHint,
  nodeEndpoints,
} from '../share/acknowledgements.ts';
import { type SharedRecords, ShareFetch } from '../share/share-fetch.ts';

type PartitionData = ShareFetchResponse['responses'][number]['partitions'][number];

interface AnsweredPartition {
  readonly topicId: string;
  readonly data: PartitionData;
}

/** Of a frame, before its bytes. */
const SIZE_BYTES = 4;

/** v2 renews what a member holds, and acquires exactly as many records as were asked for. */
export function shareFetchHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ShareFetchRequest,
    response: ShareFetchResponse,
    versions: '1-2',
    handle(request, context, responder) {
      let session: ShareSession;
      try {
        session = sessionOf(broker, request, context);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        return responder.answer(build(ShareFetchResponse, { errorCode: error.code }));
      }
      acknowledgeAndFetch({ broker, request, context, responder, session });
    },
  });
}

/** @throws KafkaError for a request that is refused as a whole */
function sessionOf(broker: BrokerContext, request: ShareFetchRequest, context: RequestContext): ShareSession {
  const { groupId, memberId, shareSessionEpoch, isRenewAck, shareAcquireMode } = request;
  const isMode = shareAcquireMode === AcquireMode.batchOptimized || shareAcquireMode === AcquireMode.recordLimit;
  if (!isMode) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  if (groupId === null) throw new KafkaError(ErrorCode.INVALID_REQUEST);
  if (!mayOnGroup(broker, context, AclOperation.read, groupId)) {
    throw new KafkaError(ErrorCode.GROUP_AUTHORIZATION_FAILED);
  }
  if (memberId === null || memberId === '') throw new KafkaError(ErrorCode.INVALID_REQUEST);
  const wantsRecords = request.maxWaitMs > 0 || request.minBytes > 0 || request.maxBytes > 0 || request.maxRecords > 0;
  if (isRenewAck && wantsRecords) throw new KafkaError(ErrorCode.INVALID_REQUEST);
  if (shareSessionEpoch !== INITIAL_EPOCH) {
    const session = broker.shares.sessions.resume(groupId, memberId, shareSessionEpoch);
    if (shareSessionEpoch !== FINAL_EPOCH) update(session, request);
    return session;
  }
  if (hasAcknowledgements(request.topics)) throw new KafkaError(ErrorCode.INVALID_REQUEST);
  const session = broker.shares.sessions.open(groupId, memberId, context.connectionId);
  update(session, request);
  return session;
}

function update(session: ShareSession, { topics, forgottenTopicsData }: ShareFetchRequest): void {
  for (const { topicId, partitions } of topics) {
    for (const { partitionIndex } of partitions) session.add({ topicId, partition: partitionIndex });
  }
  for (const { topicId, partitions } of forgottenTopicsData) {
    for (const partition of partitions) session.forget({ topicId, partition });
  }
}

interface Asked {
  readonly broker: BrokerContext;
  readonly request: ShareFetchRequest;
  readonly context: RequestContext;
  readonly responder: Responder<ShareFetchResponse>;
  readonly session: ShareSession;
}

/** Both at once: what is acknowledged need not be stored before other records are acquired. */
function acknowledgeAndFetch(asked: Asked): void {
  const { broker, request, context, session } = asked;
  const { groupId, memberId } = session;
  let acknowledged: readonly Acknowledged[] | undefined = hasAcknowledgements(request.topics) ? undefined : [];
  let fetched: { readonly found: readonly SharedRecords[]; readonly sent: (() => void) | undefined } | undefined;
  const finish = (): void => {
    if (acknowledged !== undefined && fetched !== undefined) answer(asked, acknowledged, fetched.found, fetched.sent);
  };
  if (acknowledged === undefined) {
    acknowledgeAll(
      broker,
      { context, groupId, memberId, topics: request.topics, isRenew: request.isRenewAck },
      (results) => {
        acknowledged = results;
        finish();
      },
    );
  }
  fetch(asked, (found, sent) => {
    fetched = { found, sent };
    finish();
  });
}

type Fetched = (found: readonly SharedRecords[], sent: (() => void) | undefined) => void;

function fetch({ broker, request, context, session }: Asked, done: Fetched): void {
  const wantsNone = request.maxBytes <= 0 || request.maxRecords <= 0;
  if (request.shareSessionEpoch === FINAL_EPOCH || wantsNone) return done([], undefined);
  const { groupId, memberId } = session;
  const wanted = [...session.targets()];
  const denied = new Set(deniedTargets(broker, context, wanted));
  const refused = [...denied].map((target) => ({
    target,
    share: new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED),
  }));
  const allowed = wanted.filter((target) => !denied.has(target));
  broker.shares.open(groupId, allowed, (targets) => {
    new ShareFetch({
      memberId,
      targets: [...targets, ...refused],
      maxWaitMs: request.maxWaitMs,
      minBytes: request.minBytes,
      maxBytes: Math.min(
        request.maxBytes,
        broker.config.number('fetch.max.bytes'),
        broker.quotas.fetchBytesMax(context),
      ),
      maxRecords: request.maxRecords,
      batchSize: request.batchSize,
      isStrict: request.shareAcquireMode === AcquireMode.recordLimit,
      isolation: broker.shares.configOf(groupId).isolation,
      purgatory: broker.fetchPurgatory,
      buffers: broker.runtime.disk.buffers,
      isClosed: () => context.isClosed(),
      done,
    }).start();
  });
}

function answer(
  { broker, request, context, responder, session }: Asked,
  acknowledged: readonly Acknowledged[],
  found: readonly SharedRecords[],
  sent: (() => void) | undefined,
): void {
  const isFirst = request.shareSessionEpoch === INITIAL_EPOCH;
  const partitions = new Map<string, AnsweredPartition>();
  const hints: LeaderHint[] = [];
  const dataOf = (target: ShareTarget): PartitionData => {
    const known = partitions.get(idOf(target));
    if (known !== undefined) return known.data;
    const data = emptyPartition(target.partition);
    partitions.set(idOf(target), { topicId: target.topicId, data });
    return data;
  };
  // An opened session hears of each partition, a going one only of what is new.
  const isAnswered = request.maxBytes > 0 && request.maxRecords > 0;
  if (isFirst && isAnswered) for (const target of session.targets()) dataOf(target);
  for (const one of found) {
    if (!isFirst && one.errorCode === ErrorCode.NONE && one.acquired.length === 0) continue;
    const data = dataOf(one.target);
    data.errorCode = one.errorCode;
    data.records = one.records;
    data.acquiredRecords = [...one.acquired];
    hints.push(...leaderHint(broker, one.target, one.errorCode, data));
  }
  const throttleTimeMs = broker.quotas.isCounting ? judge(broker, context, partitions.values()) : 0;
  // As Apache's: what was acquired stays so, unseen, until its lock ends.
  if (throttleTimeMs > 0) partitions.clear();
  for (const { target, errorCode, errorMessage } of acknowledged) {
    const data = dataOf(target);
    data.acknowledgeErrorCode = errorCode;
    data.acknowledgeErrorMessage = errorMessage;
  }
  const response = build(ShareFetchResponse, {
    throttleTimeMs,
    acquisitionLockTimeoutMs: broker.shares.configOf(session.groupId).recordLockDurationMs,
    responses: byTopic(partitions.values()),
    nodeEndpoints: nodeEndpoints(broker, hints, context.listenerName),
  });
  responder.answer(response, sent);
  if (request.shareSessionEpoch === FINAL_EPOCH) broker.shares.endSession(session);
}

/** By the records that would be answered, which count for the quota of fetches (`KafkaApis.processShareFetchResponse`). */
function judge(broker: BrokerContext, context: RequestContext, partitions: Iterable<AnsweredPartition>): number {
  const writer = new Writer();
  const responses = byTopic(partitions);
  codecFor(ShareFetchResponse, context.apiVersion).write(writer, build(ShareFetchResponse, { responses }));
  return broker.quotas.fetched(context, SIZE_BYTES + writer.size);
}

function byTopic(all: Iterable<AnsweredPartition>): ShareFetchResponse['responses'] {
  const topics = new Map<string, PartitionData[]>();
  for (const { topicId, data } of all) {
    const partitions = topics.get(topicId);
    if (partitions === undefined) topics.set(topicId, [data]);
    else partitions.push(data);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}

function emptyPartition(partitionIndex: number): PartitionData {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    acknowledgeErrorCode: ErrorCode.NONE,
    acknowledgeErrorMessage: null,
    currentLeader: { leaderId: 0, leaderEpoch: 0 },
    records: noSlices,
    acquiredRecords: [],
  };
}
