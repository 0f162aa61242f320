import { build, ZERO_UUID } from '../../../wire/schema.ts';
import type { SummaryOutcome } from '../../coordinator/share/share-coordinator.ts';
import type { ShareKey } from '../../coordinator/share/share-key.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from '../../protocol/messages/90-describe-share-group-offsets.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
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
    handle(request, _context, responder) {
      gather<DescribeShareGroupOffsetsRequest['groups'][number], Group>(
        request.groups,
        ({ groupId, topics }, done) => describeGroup(broker, groupId, topics, done),
        (groups) => responder.answer(build(DescribeShareGroupOffsetsResponse, { groups })),
      );
    },
  });
}

/** Null asks for all that the group has delivery state of; a group that does not exist has none. */
function describeGroup(
  broker: BrokerContext,
  groupId: string,
  asked: readonly AskedTopic[] | null,
  done: (group: Group) => void,
): void {
  const describe = (topics: readonly AskedTopic[]): void =>
    gather<AskedTopic, Topic>(
      topics,
      (topic, answer) => describeTopic(broker, groupId, topic, answer),
      (described) => done({ groupId, topics: described, errorCode: ErrorCode.NONE, errorMessage: null }),
    );
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
