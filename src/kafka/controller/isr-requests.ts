import { build } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { type AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/56-alter-partition.ts';
import type { VersionedState } from '../zk/kafka-zk.ts';
import type { TopicPartition } from './controller-context.ts';
import { RECOVERED, RECOVERING } from './elections.ts';
import type { Reign } from './reign.ts';
import { RequestBatch } from './request-batch.ts';

type Asked = AlterPartitionRequest['topics'][number]['partitions'][number];
type Result = AlterPartitionResponse['topics'][number]['partitions'][number];

/**
 * A leader asks to change its in-sync replicas (KIP-497, `KafkaController.tryProcessAlterPartition`).
 *
 * v1  with the state of recovery from an unclean election (KIP-704)
 * v2  by topic id; replicas that are not live have an error of their own (KIP-841)
 * v3  with the epochs of the replicas' brokers (KIP-903)
 */
export async function alterPartitions(
  reign: Reign,
  request: AlterPartitionRequest,
  version: number,
): Promise<AlterPartitionResponse> {
  const { context } = reign;
  if (context.brokers.get(request.brokerId)?.epoch !== request.brokerEpoch) {
    return build(AlterPartitionResponse, { errorCode: ErrorCode.STALE_BROKER_EPOCH });
  }
  const topics: AlterPartitionResponse['topics'] = [];
  const altered: TopicPartition[] = [];
  for (const { topicName, topicId, partitions } of request.topics) {
    const topic = version >= 2 ? context.topicName(topicId) : topicName;
    const results: Result[] = [];
    for (const asked of partitions) {
      if (topic === undefined) {
        results.push(refused(asked, ErrorCode.UNKNOWN_TOPIC_ID));
        continue;
      }
      results.push(await alter(reign, request.brokerId, topic, asked, version));
      altered.push({ topic, partition: asked.partitionIndex });
    }
    topics.push({ topicName: version >= 2 ? '' : topicName, topicId, partitions: results });
  }
  const batch = new RequestBatch(context);
  batch.metadata(context.live, altered);
  reign.send(batch);
  await reign.reassignments.completeAmong(altered);
  return build(AlterPartitionResponse, { topics });
}

async function alter(
  { context, states }: Reign,
  brokerId: number,
  topic: string,
  asked: Asked,
  version: number,
): Promise<Result> {
  const partition = asked.partitionIndex;
  const isr = version >= 3 ? asked.newIsrWithEpochs.map((one) => one.brokerId) : asked.newIsr;
  const wanted = { isr, leaderRecoveryState: asked.leaderRecoveryState };
  const current = context.state(topic, partition);
  if (current === undefined) return refused(asked, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const { state, zkVersion } = current;
  // A leader that knows more than we do heard it of another controller.
  if (asked.partitionEpoch > zkVersion || asked.leaderEpoch > state.leaderEpoch) {
    return refused(asked, ErrorCode.NOT_CONTROLLER);
  }
  if (asked.leaderEpoch < state.leaderEpoch) return refused(asked, ErrorCode.FENCED_LEADER_EPOCH);
  // Apache would write whoever asks down as the leader; nobody but the leader may ask (as in KRaft).
  if (brokerId !== state.leader) return refused(asked, ErrorCode.INVALID_REQUEST);
  const isDone = isr.join() === state.isr.join() && wanted.leaderRecoveryState === state.leaderRecoveryState;
  if (isDone) return granted(asked, current);
  if (asked.partitionEpoch < zkVersion) return refused(asked, ErrorCode.INVALID_UPDATE_VERSION);
  const isRecovering = wanted.leaderRecoveryState === RECOVERING;
  if (isRecovering && (isr.length > 1 || state.leaderRecoveryState === RECOVERED)) {
    return refused(asked, ErrorCode.INVALID_REQUEST);
  }
  if (!isr.every((id) => context.brokers.has(id))) {
    return refused(asked, version >= 2 ? ErrorCode.INELIGIBLE_REPLICA : ErrorCode.OPERATION_NOT_ATTEMPTED);
  }
  const changed = await states.change({ topic, partition }, wanted);
  return changed === undefined ? refused(asked, ErrorCode.INVALID_UPDATE_VERSION) : granted(asked, changed);
}

function refused({ partitionIndex }: Asked, errorCode: number): Result {
  return {
    partitionIndex,
    errorCode,
    leaderId: 0,
    leaderEpoch: 0,
    isr: [],
    leaderRecoveryState: RECOVERED,
    partitionEpoch: 0,
  };
}

function granted({ partitionIndex }: Asked, { state, zkVersion }: VersionedState): Result {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: [...state.isr],
    leaderRecoveryState: state.leaderRecoveryState,
    partitionEpoch: zkVersion,
  };
}
