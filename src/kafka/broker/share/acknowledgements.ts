import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type {
  ShareAcknowledgeRequest,
  ShareAcknowledgeResponse,
} from '../../protocol/messages/79-share-acknowledge.ts';
import { AclOperation } from '../../security/acl.ts';
import type { ShareTarget } from '../../share/share-sessions.ts';
import { AcknowledgeType } from '../../share/slot.ts';
import type { RequestContext } from '../api-handler.ts';
import { allowedTopics } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { endpointOn } from '../reachable-brokers.ts';

type Topics = ShareAcknowledgeRequest['topics'];
type AskedPartition = Topics[number]['partitions'][number];
type Batches = AskedPartition['acknowledgementBatches'];

export interface Acknowledged {
  readonly target: ShareTarget;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface Acknowledging {
  readonly context: RequestContext;
  readonly groupId: string;
  readonly memberId: string;
  readonly topics: Topics;
  /** The request says that it renews: only then it may. */
  readonly isRenew: boolean;
}

export function hasAcknowledgements(topics: Topics): boolean {
  return topics.some(({ partitions }) => partitions.some((one) => one.acknowledgementBatches.length > 0));
}

/** Acknowledges partition by partition; those that the request only names are not answered. */
export function acknowledgeAll(
  broker: BrokerContext,
  asked: Acknowledging,
  done: (results: readonly Acknowledged[]) => void,
): void {
  const all = asked.topics.flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ acknowledgementBatches }) => acknowledgementBatches.length > 0)
      .map(({ partitionIndex, acknowledgementBatches }) => ({
        target: { topicId, partition: partitionIndex },
        batches: acknowledgementBatches,
      })),
  );
  const denied = new Set(
    deniedTargets(
      broker,
      asked.context,
      all.map(({ target }) => target),
    ),
  );
  gather<(typeof all)[number], Acknowledged>(
    all,
    ({ target, batches }, answer) => {
      if (denied.has(target)) {
        return answer({ target, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: null });
      }
      acknowledgeOne(broker, asked, target, batches, (errorCode, errorMessage) =>
        answer({ target, errorCode, errorMessage }),
      );
    },
    done,
  );
}

/** Whoever may not read a topic gets and acknowledges none of its records. */
export function deniedTargets<T extends ShareTarget>(
  broker: BrokerContext,
  context: RequestContext,
  targets: readonly T[],
): T[] {
  const nameOf = ({ topicId }: T): string | undefined => broker.metadata.topicName(topicId);
  const names = targets.flatMap((target) => nameOf(target) ?? []);
  const readable = allowedTopics(broker, context, AclOperation.read, names);
  return targets.filter((target) => {
    const name = nameOf(target);
    return name !== undefined && !readable.has(name);
  });
}

type Answer = (errorCode: number, errorMessage: string | null) => void;

function acknowledgeOne(
  broker: BrokerContext,
  { groupId, memberId, isRenew }: Acknowledging,
  target: ShareTarget,
  batches: Batches,
  answer: Answer,
): void {
  const key = { groupId, ...target };
  try {
    broker.shares.partitions.partitionOf(key);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return answer(error.code, null);
  }
  if (!areValid(batches, isRenew)) return answer(ErrorCode.INVALID_REQUEST, null);
  const share = broker.shares.partitions.find(key);
  const settled = (error: KafkaError | undefined): void =>
    error === undefined ? answer(ErrorCode.NONE, null) : answer(error.code, error.message);
  if (share === undefined) answer(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, NOT_HOSTED);
  else share.acknowledge(memberId, batches, settled);
}

const NOT_HOSTED = 'This server does not host this topic-partition.';

/** Ordered, without overlaps, of known types, one for all offsets or one for each (`KafkaApis.validateAcknowledgementBatches`). */
function areValid(batches: Batches, isRenew: boolean): boolean {
  const typeMax = isRenew ? AcknowledgeType.renew : AcknowledgeType.reject;
  let previous = -1;
  return batches.every(({ firstOffset, lastOffset, acknowledgeTypes }) => {
    const isOrdered = firstOffset > previous && firstOffset <= lastOffset;
    previous = lastOffset;
    const count = acknowledgeTypes.length;
    const isCounted = count === 1 || count === lastOffset - firstOffset + 1;
    return isOrdered && isCounted && acknowledgeTypes.every((type) => type >= AcknowledgeType.gap && type <= typeMax);
  });
}

export interface LeaderHint {
  readonly leaderId: number;
}

/** Tells who leads, where this broker does not (KIP-951). */
export function leaderHint(
  broker: BrokerContext,
  { topicId, partition }: ShareTarget,
  errorCode: number,
  data: { currentLeader: ShareAcknowledgeResponse['responses'][number]['partitions'][number]['currentLeader'] },
): LeaderHint[] {
  if (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCode.FENCED_LEADER_EPOCH) return [];
  const topic = broker.metadata.topicName(topicId);
  const known = topic === undefined ? undefined : broker.metadata.partition(topic, partition);
  const leaderId = known?.leader ?? -1;
  data.currentLeader = { leaderId, leaderEpoch: known?.leaderEpoch ?? -1 };
  return [{ leaderId }];
}

export function nodeEndpoints(
  broker: BrokerContext,
  hints: readonly LeaderHint[],
  listenerName: string,
): ShareAcknowledgeResponse['nodeEndpoints'] {
  return [...new Set(hints.map(({ leaderId }) => leaderId))].flatMap((nodeId) => {
    const leader = broker.metadata.brokers.get(nodeId);
    const endpoint = leader && endpointOn(leader, listenerName);
    if (leader === undefined || endpoint === undefined) return [];
    return [{ nodeId, host: endpoint.host, port: endpoint.port, rack: leader.rack }];
  });
}
