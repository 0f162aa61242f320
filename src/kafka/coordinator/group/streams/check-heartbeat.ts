import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import type { ConfiguredTopology } from './configured-topology.ts';
import type { StreamsMember } from './streams-member.ts';
import { type HeldTasks, hasTask, type TaskIds, type Tasks } from './tasks.ts';

type Request = StreamsGroupHeartbeatRequest;

/** What is wrong with a heartbeat by itself; in Apache's order and words. @throws KafkaError */
export function checkHeartbeat(request: Request): void {
  const { memberEpoch, topology } = request;
  if (topology?.subtopologies.some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0)) {
    throw invalid('Regular expressions for source topics are not supported yet.');
  }
  requireText(request.memberId, 'MemberId');
  requireText(request.groupId, 'GroupId');
  requireText(request.instanceId, 'InstanceId');
  requireText(request.rackId, 'RackId');
  if (memberEpoch === JOIN_EPOCH) checkJoin(request);
  else if (memberEpoch === STATIC_LEAVE_EPOCH) {
    if (request.instanceId === null) throw invalid("InstanceId can't be null.");
  } else if (memberEpoch < STATIC_LEAVE_EPOCH) {
    throw invalid(`MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`);
  }
  const tasks = [request.activeTasks, request.standbyTasks, request.warmupTasks];
  if (tasks.some((one) => one !== null) && tasks.some((one) => one === null)) {
    throw invalid('If one task-type is non-null, all must be non-null.');
  }
  if (memberEpoch !== JOIN_EPOCH && topology !== null) {
    throw invalid('Topology can only be provided when (re-)joining.');
  }
}

function checkJoin(request: Request): void {
  if (request.rebalanceTimeoutMs === -1) throw invalid('RebalanceTimeoutMs must be provided in first request.');
  requireNone(request.activeTasks, 'ActiveTasks');
  requireNone(request.standbyTasks, 'StandbyTasks');
  requireNone(request.warmupTasks, 'WarmupTasks');
  if (request.topology === null) throw invalid('Topology must be non-null when (re-)joining.');
  for (const { stateChangelogTopics } of request.topology.subtopologies) {
    for (const { name, partitions } of stateChangelogTopics) {
      if (partitions === 0) continue;
      throw new KafkaError(
        ErrorCode.STREAMS_INVALID_TOPOLOGY,
        `Changelog topic ${name} must have an undefined partition count, but it is set to ${partitions}.`,
      );
    }
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}

function requireText(text: string | null, field: string): void {
  if (text?.trim() === '') throw invalid(`${field} can't be empty.`);
}

/** Nothing has to be said; saying nothing will not do. */
function requireNone(tasks: readonly unknown[] | null, field: string): void {
  if (tasks === null || tasks.length > 0) throw invalid(`${field} must be empty when (re-)joining.`);
}

/** Who comes with the epoch before may have missed the last answer, if it has no more than what that one said. @throws KafkaError */
export function checkEpoch(member: StreamsMember, request: Request): void {
  const { memberEpoch: epoch } = request;
  const { assigned } = member;
  if (epoch === JOIN_EPOCH || epoch === member.epoch) return;
  const hasMissedAnswer =
    epoch === member.previousEpoch &&
    isWithin(request.activeTasks, assigned.active) &&
    isWithin(request.standbyTasks, assigned.standby) &&
    isWithin(request.warmupTasks, assigned.warmup);
  if (epoch < member.epoch && hasMissedAnswer) return;
  throw new KafkaError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The streams group member has a ${epoch > member.epoch ? 'greater' : 'smaller'} member epoch (${epoch}) than the one ` +
      `known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  );
}

function isWithin(owned: readonly TaskIds[] | null, assigned: Tasks | HeldTasks): boolean {
  if (owned === null) return false;
  return owned.every(({ subtopologyId, partitions }) =>
    partitions.every((partition) => hasTask(assigned, subtopologyId, partition)),
  );
}

/** A member has only tasks that there are. @throws KafkaError INVALID_REQUEST */
export function checkOwned(request: Request, { subtopologies = [] }: ConfiguredTopology): void {
  for (const owned of [request.activeTasks, request.standbyTasks, request.warmupTasks]) {
    for (const { subtopologyId, partitions } of owned ?? []) {
      const subtopology = subtopologies.find(({ id }) => id === subtopologyId);
      if (subtopology === undefined) throw invalid(`Subtopology ${subtopologyId} does not exist in the topology.`);
      const strange = partitions.find((partition) => partition < 0 || partition >= subtopology.taskCount);
      if (strange === undefined) continue;
      throw invalid(
        `Task ${strange} for subtopology ${subtopologyId} is invalid. Number of tasks for this subtopology: ${subtopology.taskCount}`,
      );
    }
  }
}
