import { build } from '../../../../wire/schema.ts';
import { ErrorCode, errorInfo, KafkaError } from '../../../protocol/errors.ts';
import {
  type StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { attempt } from '../consumer/consumer-requests.ts';
import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import { checkFencedInstance, checkStaticMember } from '../consumer/membership.ts';
import { whyNoGroup } from '../described-group.ts';
import type { GroupClient } from '../join.ts';
import { LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import { checkHeartbeat } from './check-heartbeat.ts';
import type { InternalTopic } from './configured-topology.ts';
import { type DescribedStreamsGroup, describeStreamsGroup, refusedStreamsGroup } from './describe-streams.ts';
import { endpointsOf } from './endpoints.ts';
import { leaveForAWhile, unknownMember } from './membership.ts';
import { type Status, StatusCode } from './status.ts';
import type { StreamsSettings } from './streams-config.ts';
import type { Beaten, StreamsGroups } from './streams-groups.ts';
import type { StreamsMember } from './streams-member.ts';
import { type HeldTasks, type TaskIds, type Tasks, taskIds } from './tasks.ts';

/** The streams groups of a broker, each on the partition that keeps it (`GroupCoordinator.onStreams`). */
export interface StreamsGroupsByGroup {
  onStreams(groupId: string, refuse: (errorCode: number) => void, work: (streams: StreamsGroups) => void): void;
}

/** With the topics that the group lacks, for whoever may create them. */
export type StreamsHeartbeatAnswer = (
  response: StreamsGroupHeartbeatResponse,
  missing: readonly InternalTopic[],
) => void;

export function streamsHeartbeatError(
  code: number,
  message: string | null = errorInfo(code).message,
): StreamsGroupHeartbeatResponse {
  return build(StreamsGroupHeartbeatResponse, { errorCode: code, errorMessage: message });
}

export function streamsGroupHeartbeat(
  groups: StreamsGroupsByGroup,
  request: StreamsGroupHeartbeatRequest,
  client: GroupClient,
  answer: StreamsHeartbeatAnswer,
): void {
  const refuse = (code: number, message?: string | null): void => answer(streamsHeartbeatError(code, message), []);
  // What went wrong within the broker is not told.
  const refused = ({ code, message }: KafkaError): void =>
    refuse(code, code === ErrorCode.UNKNOWN_SERVER_ERROR ? null : message);
  attempt(() => {
    checkHeartbeat(request);
    groups.onStreams(request.groupId, refuse, (streams) =>
      attempt(() => {
        const { memberEpoch } = request;
        if (memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH) leave(streams, request, answer);
        else beat(streams, request, client, answer);
      }, refused),
    );
  }, refused);
}

function beat(
  streams: StreamsGroups,
  request: StreamsGroupHeartbeatRequest,
  client: GroupClient,
  answer: StreamsHeartbeatAnswer,
): void {
  const wasKnown = streams.options.kindOf(request.groupId) !== undefined;
  streams.beat(request, client, (errorCode, beaten) => {
    if (errorCode !== ErrorCode.NONE) return answer(streamsHeartbeatError(errorCode), []);
    const { configured } = beaten.beat;
    const settings = streams.options.streams.settings(request.groupId);
    const isStale = beaten.endpointEpoch !== request.endpointInformationEpoch;
    const { assigned } = beaten.beat.member;
    const response = build(StreamsGroupHeartbeatResponse, {
      memberId: beaten.beat.member.id,
      memberEpoch: beaten.beat.member.epoch,
      heartbeatIntervalMs: settings.heartbeatIntervalMs,
      taskOffsetIntervalMs: settings.taskOffsetIntervalMs,
      acceptableRecoveryLag: settings.acceptableRecoveryLag,
      status: statuses(beaten, settings, client.apiVersion),
      activeTasks: beaten.isTold ? inJavaOrder(assigned.active) : null,
      standbyTasks: beaten.isTold ? inJavaOrder(assigned.standby) : null,
      warmupTasks: beaten.isTold ? inJavaOrder(assigned.warmup) : null,
      endpointInformationEpoch: wasKnown ? beaten.endpointEpoch : 0,
      partitionsByUserEndpoint: isStale ? endpointsOf(beaten.members, configured, streams.options.image) : null,
    });
    answer(response, configured.missing);
  });
}

/** Version 0 knows no status of client tags. */
const CLIENT_TAGS_FROM = 1;

function statuses(
  { beat: { configured, member, statuses: told }, shutdownBy }: Beaten,
  settings: StreamsSettings,
  version: number,
): Status[] {
  const all = [...told];
  if (configured.fault !== undefined) all.push(configured.fault);
  if (shutdownBy !== undefined) {
    all.push({
      statusCode: StatusCode.SHUTDOWN_APPLICATION,
      statusDetail: `Streams group member ${shutdownBy} encountered a fatal error and requested a shutdown for the entire application.`,
    });
  }
  const missing = settings.rackAwareTags.filter((tag) => !member.clientTags.has(tag));
  if (version >= CLIENT_TAGS_FROM && missing.length > 0) {
    all.push({
      statusCode: StatusCode.MISSING_CLIENT_TAGS,
      statusDetail:
        `Missing required client tags for rack-aware standby assignment: [${missing.join(', ')}]. ` +
        "Configure them via 'client.tag.<tagKey>' in your Streams config.",
    });
  }
  return all;
}

function inJavaOrder(tasks: Tasks | HeldTasks): TaskIds[] {
  return hashOrder(taskIds(tasks), ({ subtopologyId }) => stringHash(subtopologyId), grownBuckets);
}

function leave(streams: StreamsGroups, request: StreamsGroupHeartbeatRequest, answer: StreamsHeartbeatAnswer): void {
  const { groupId, memberId, memberEpoch, instanceId } = request;
  const group = streams.get(groupId);
  if (group === undefined) {
    const why = streams.options.kindOf(groupId) === undefined ? 'not found' : 'is not a streams group';
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${why}.`);
  }
  if (request.shutdownApplication) streams.softState(groupId).shutdownBy ??= memberId;
  let member: StreamsMember | undefined;
  if (instanceId === null) {
    member = group.members.get(memberId);
    if (member === undefined) throw unknownMember(groupId, memberId);
  } else {
    member = group.staticMember(instanceId);
    checkStaticMember(member, instanceId);
    checkFencedInstance(member, memberId, instanceId);
  }
  const done = (errorCode: number): void =>
    answer(
      errorCode === ErrorCode.NONE
        ? build(StreamsGroupHeartbeatResponse, { memberId, memberEpoch })
        : streamsHeartbeatError(errorCode),
      [],
    );
  const isForAWhile = instanceId !== null && memberEpoch === STATIC_LEAVE_EPOCH;
  if (isForAWhile) streams.store(groupId, [leaveForAWhile(group, member)], done);
  else streams.remove(group, member, done);
}

export function streamsGroupOf(
  groups: StreamsGroupsByGroup,
  groupId: string,
  answer: (group: DescribedStreamsGroup) => void,
): void {
  const refuse = (code: number, why: string | null = null): void => answer(refusedStreamsGroup(groupId, code, why));
  groups.onStreams(groupId, refuse, (streams) => {
    const group = streams.get(groupId);
    if (group !== undefined) return answer(describeStreamsGroup(group, streams.softState(groupId)));
    const isTaken = streams.options.kindOf(groupId) !== undefined;
    refuse(ErrorCode.GROUP_ID_NOT_FOUND, whyNoGroup(groupId, 'streams', isTaken));
  });
}
