import { build, ZERO_UUID } from '../../../wire/schema.ts';
import type { SummaryOutcome } from '../../coordinator/share/share-coordinator.ts';
import type { ShareKey } from '../../coordinator/share/share-key.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../protocol/messages/90-describe-share-group-offsets.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics, mayOnGroup } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

type Group = DescribeShareGroupOffsetsResponse['groups'][number];
type Topic = Group['topics'][number];
type Partition = Topic['partitions'][number];

interface AskedTopic {
  readonly topicName: string;
  readonly partitions: readonly number[];
}

const UNKNOWN = -1;

/** v1 tells how many records wait. */
export function describeShareGroupOffsetsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeShareGroupOffsetsRequest,
    response: DescribeShareGroupOffsetsResponse,
    versions: '0-1',
    handle(request, context, responder) {
      gather<DescribeShareGroupOffsetsRequest['groups'][number], Group>(
        request.groups,
        ({ groupId, topics }, done) => describeGroup(broker, context, groupId, { asked: topics, done }),
        (groups) => responder.answer(build(DescribeShareGroupOffsetsResponse, { groups })),
      );
    },
  });
}

/** Null asks for all that the group has delivery state of; a group that does not exist has none. */
function describeGroup(
  broker: BrokerContext,
  context: RequestContext,
  groupId: string,
  { asked, done }: { readonly asked: readonly AskedTopic[] | null; readonly done: (group: Group) => void },
): void {
  if (!mayOnGroup(broker, context, AclOperation.describe, groupId)) {
    return done({ groupId, topics: [], errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, errorMessage: null });
  }
  const describe = (all: readonly AskedTopic[]): void => {
    const names = all.map(({ topicName }) => topicName);
    const allowed = allowedTopics(broker, context, AclOperation.describe, names);
    const denied = all.filter(({ topicName }) => !allowed.has(topicName));
    gather<AskedTopic, Topic>(
      all.filter(({ topicName }) => allowed.has(topicName)),
      (topic, answer) => describeTopic(broker, groupId, topic, answer),
      (described) => {
        // Whoever asks for all is not told what there is that he may not see.
        const topics = asked === null ? described : [...described, ...denied.map(deniedTopic)];
        done({ groupId, topics, errorCode: ErrorCode.NONE, errorMessage: null });
      },
    );
  };
  if (groupId === '') return done({ groupId, topics: [], errorCode: ErrorCode.NONE, errorMessage: null });
  const refuse = (errorCode: number): void =>
    done({ groupId, topics: [], errorCode, errorMessage: errorInfo(errorCode).message });
  broker.groups.onShares(groupId, refuse, (shares) => {
    const initialized = [...(shares.get(groupId)?.initialized.values() ?? [])];
    describe(asked ?? initialized);
  });
}

function describeTopic(
  broker: BrokerContext,
  groupId: string,
  { topicName, partitions }: AskedTopic,
  done: (topic: Topic) => void,
): void {
  const topicId = broker.metadata.topicId(topicName);
  gather<number, Partition>(
    partitions,
    (partition, answer) => {
      if (topicId === ZERO_UUID) return answer(nothing(partition));
      const key = { groupId, topicId, partition };
      broker.shares.keeper.summary(key, (summary) => answer(described(broker, topicName, key, summary)));
    },
    (all) => done({ topicName, topicId, partitions: all }),
  );
}

function deniedTopic({ topicName, partitions }: AskedTopic): Topic {
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  const error = { errorCode, errorMessage: errorInfo(errorCode).message };
  return { topicName, topicId: ZERO_UUID, partitions: partitions.map((one) => ({ ...nothing(one), ...error })) };
}

function nothing(partitionIndex: number): Partition {
  return {
    partitionIndex,
    startOffset: UNKNOWN,
    leaderEpoch: 0,
    lag: UNKNOWN,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
  };
}

function described(
  broker: BrokerContext,
  topicName: string,
  { partition }: ShareKey,
  summary: SummaryOutcome,
): Partition {
  const { errorCode, errorMessage, startOffset, leaderEpoch, deliveryCompleteCount } = summary;
  if (errorCode !== ErrorCode.NONE) return { ...nothing(partition), errorCode, errorMessage };
  const log = broker.replicas.partition(topicName, partition)?.log;
  const isKnown = startOffset !== UNKNOWN && deliveryCompleteCount !== UNKNOWN && log !== undefined;
  const lag = isKnown ? log.highWatermark - startOffset - deliveryCompleteCount : UNKNOWN;
  return { partitionIndex: partition, startOffset, leaderEpoch, lag, errorCode, errorMessage };
}
