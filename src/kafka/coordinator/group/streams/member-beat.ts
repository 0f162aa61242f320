import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { clientHost } from '../client-host.ts';
import { checkFencedInstance, checkStaticMember } from '../consumer/membership.ts';
import type { MetadataHasher } from '../consumer/metadata-hash.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupClient } from '../join.ts';
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import { checkEpoch, checkOwned } from './check-heartbeat.ts';
import { type ConfiguredTopology, configureTopology } from './configured-topology.ts';
import { currentRecord, epochRecord, memberRecord, replaceMember, unknownMember } from './membership.ts';
import { reconcileTasks } from './reconcile-tasks.ts';
import { type Status, StatusCode } from './status.ts';
import { assignmentConfigs, type StreamsSettings } from './streams-config.ts';
import type { StreamsGroup } from './streams-group.ts';
import {
  isReconciledTo,
  newMember,
  type StreamsMember,
  sameCurrent,
  sameForAssignment,
  sameMetadata,
} from './streams-member.ts';
import type { StreamsRecord } from './streams-records.ts';
import { assignTasks } from './streams-target.ts';
import { TaskHolders } from './task-holders.ts';
import { NO_OFFSETS, type TaskOffsets, withTold } from './task-offsets.ts';
import { assignmentOf, NO_ASSIGNMENT, type TaskAssignment } from './tasks.ts';
import { requiredTopics, sameTopology, type Topology, topologyOf } from './topology.ts';

export interface BeatContext {
  readonly image: TopicImage;
  readonly hasher: MetadataHasher;
  readonly settings: StreamsSettings;
  readonly groupSizeMax: number;
  /** Wall time. */
  readonly nowMs: number;
  /** The group's topology beside the topics, as last seen; undefined where nobody has looked, or topics have changed since. */
  readonly configured: ConfiguredTopology | undefined;
  readonly offsets: ReadonlyMap<string, TaskOffsets>;
  /** A new group still waits for more members before it assigns any task. */
  readonly isDelayed: boolean;
}

export interface Beat {
  readonly records: readonly GroupRecord[];
  readonly former: StreamsMember;
  readonly member: StreamsMember;
  /** The static member whose place it takes. */
  readonly replaced: StreamsMember | undefined;
  readonly configured: ConfiguredTopology;
  readonly offsets: TaskOffsets;
  readonly statuses: readonly Status[];
}

type Request = StreamsGroupHeartbeatRequest;

/** One heartbeat on its way through the group (`GroupMetadataManager.streamsGroupHeartbeat`). @throws KafkaError */
export function decideBeat(
  group: StreamsGroup,
  request: Request,
  client: GroupClient,
  context: BeatContext,
  before: readonly GroupRecord[],
): Beat {
  if (request.memberEpoch === JOIN_EPOCH) checkRoom(group, request, context.groupSizeMax);
  const found = memberFor(group, request);
  const beat = new MemberBeat(group, found.member, updated(found.member, request, client), context);
  const { configured, offsets } = beat.configure(request);
  const { isReconciled, targetEpoch, target } = beat.assign(configured, offsets, found.replaced);
  const member = isReconciled ? beat.member : beat.reconcile(request, targetEpoch, target);
  const records = [...before, ...found.records, ...beat.records];
  const { former, statuses } = beat;
  return { records, former, member, replaced: found.replaced, configured, offsets, statuses };
}

/** A static member that comes back changes the size of nothing. */
function checkRoom(group: StreamsGroup, { memberId, instanceId }: Request, sizeMax: number): void {
  if (group.staticMember(instanceId) !== undefined) return;
  if (group.members.size < sizeMax || group.members.has(memberId)) return;
  throw new KafkaError(
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    `The streams group has reached its maximum capacity of ${sizeMax} members.`,
  );
}

interface Found {
  readonly member: StreamsMember;
  readonly replaced?: StreamsMember;
  readonly records: readonly StreamsRecord[];
}

function memberFor(group: StreamsGroup, request: Request): Found {
  const { memberId, instanceId, memberEpoch } = request;
  const isJoin = memberEpoch === JOIN_EPOCH;
  const known = group.members.get(memberId) ?? (isJoin ? newMember(memberId) : undefined);
  if (instanceId === null) {
    if (known === undefined) throw unknownMember(group.id, memberId);
    checkEpoch(known, request);
    return { member: known, records: [] };
  }
  const holder = group.staticMember(instanceId);
  if (!isJoin) {
    checkStaticMember(holder, instanceId);
    checkFencedInstance(holder, memberId, instanceId);
    checkEpoch(holder, request);
    return { member: holder, records: [] };
  }
  if (holder === undefined) return { member: known ?? newMember(memberId), records: [] };
  if (holder.epoch !== STATIC_LEAVE_EPOCH) {
    throw new KafkaError(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ` +
        `${holder.id} member.`,
    );
  }
  return { ...replaceMember(group, holder, memberId), ...(holder.id === memberId ? {} : { replaced: holder }) };
}

function updated(member: StreamsMember, request: Request, client: GroupClient): StreamsMember {
  const { memberEpoch, rebalanceTimeoutMs, clientTags, userEndpoint } = request;
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: request.topology?.epoch ?? member.topologyEpoch,
    clientId: client.id,
    clientHost: clientHost(client.host),
    processId: request.processId ?? member.processId,
    clientTags: clientTags === null ? member.clientTags : new Map(clientTags.map(({ key, value }) => [key, value])),
    userEndpoint: memberEpoch === JOIN_EPOCH ? userEndpoint : (userEndpoint ?? member.userEndpoint),
  };
}

class MemberBeat {
  readonly records: StreamsRecord[] = [];
  readonly statuses: Status[] = [];
  readonly former: StreamsMember;
  readonly member: StreamsMember;
  readonly #group: StreamsGroup;
  readonly #context: BeatContext;
  #epoch: number;

  constructor(group: StreamsGroup, former: StreamsMember, member: StreamsMember, context: BeatContext) {
    this.#group = group;
    this.former = former;
    this.member = member;
    this.#context = context;
    this.#epoch = group.epoch;
  }

  /** The member and the topology are stored, and the epoch goes up where either calls for other tasks. */
  configure(request: Request): { readonly configured: ConfiguredTopology; readonly offsets: TaskOffsets } {
    const group = this.#group;
    const { member, former } = this;
    const { hasher, image, settings } = this.#context;
    let isDue = false;
    if (!sameMetadata(former, member)) {
      this.records.push(memberRecord(group.id, member));
      isDue = request.instanceId === null || !sameForAssignment(former, member);
    }
    const topology = this.#topology(request.topology);
    if (group.topology !== undefined && member.topologyEpoch < group.topology.epoch) {
      this.#tell(
        StatusCode.STALE_TOPOLOGY,
        `The member's topology epoch ${member.topologyEpoch} is behind the group's topology epoch ${group.topology.epoch}.`,
      );
    }
    const isSeen = group.topology !== undefined && this.#context.configured !== undefined;
    const metadataHash = isSeen ? group.metadataHash : hasher.hash(requiredTopics(topology));
    if (metadataHash !== group.metadataHash) isDue = true;
    const configured = this.#context.configured ?? configureTopology(topology, image);
    const isReady = configured.fault === undefined;
    if (isReady) checkOwned(request, configured);
    const offsets = withTold(this.#context.offsets.get(member.id) ?? NO_OFFSETS, request);
    const validatedTopologyEpoch = isReady ? topology.epoch : -1;
    if (validatedTopologyEpoch !== group.validatedTopologyEpoch) isDue = true;
    const configs = assignmentConfigs(settings);
    if (!sameTexts(configs, group.assignmentConfigs)) isDue = true;
    if (isDue) {
      this.#epoch = group.epoch + 1;
      const facts = { epoch: this.#epoch, metadataHash, validatedTopologyEpoch, assignmentConfigs: configs };
      this.records.push(epochRecord(group, facts));
    }
    return { configured, offsets };
  }

  /** @throws KafkaError INVALID_REQUEST for another topology than the group's */
  #topology(told: Request['topology']): Topology {
    const known = this.#group.topology;
    if (told === null) {
      if (known !== undefined) return known;
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
    }
    const topology = topologyOf(told);
    // Apache's broker asserts it, and has no word for whoever it hits.
    if (topology.epoch < 0) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
    if (known === undefined) {
      this.records.push({ kind: 'streams-topology', group: this.#group.id, value: topology });
      return topology;
    }
    if (known.epoch > topology.epoch || sameTopology(known, topology)) return known;
    throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Topology updates are not supported yet.');
  }

  #tell(statusCode: number, statusDetail: string): void {
    this.statuses.push({ statusCode, statusDetail });
  }

  /** A new target where the epoch has gone past the last one, unless that was made only a moment ago or more members may come. */
  assign(
    configured: ConfiguredTopology,
    offsets: TaskOffsets,
    replaced: StreamsMember | undefined,
  ): { readonly isReconciled: boolean; readonly targetEpoch: number; readonly target: TaskAssignment } {
    const group = this.#group;
    const { settings, nowMs, isDelayed } = this.#context;
    const { id } = this.member;
    const { targetEpoch } = group;
    const at = (epoch: number, target: TaskAssignment = NO_ASSIGNMENT) => ({
      isReconciled: isReconciledTo(this.member, epoch),
      targetEpoch: epoch,
      target,
    });
    if (isDelayed) {
      this.#tell(StatusCode.ASSIGNMENT_DELAYED, 'Assignment delayed due to the configured initial rebalance delay.');
      return at(targetEpoch);
    }
    const targets = new Map(group.targets);
    if (replaced !== undefined) {
      targets.set(id, targets.get(replaced.id) ?? NO_ASSIGNMENT);
      targets.delete(replaced.id);
    }
    if (targetEpoch >= this.#epoch) return at(targetEpoch, targets.get(id));
    const intervalMs = settings.assignmentIntervalMs;
    const isDue = group.targetTimestampMs === 0 || intervalMs === 0 || nowMs >= group.targetTimestampMs + intervalMs;
    if (!isDue) {
      this.#tell(StatusCode.ASSIGNMENT_DELAYED, 'Assignment delayed due to the configured assignment interval.');
      return at(targetEpoch, targets.get(id));
    }
    const others = [...group.members.values()].filter((one) => one.id !== id && one.id !== replaced?.id);
    const { records, targets: next } = assignTasks({
      groupId: group.id,
      epoch: this.#epoch,
      members: [...others, this.member],
      targets,
      topology: configured,
      offsets: new Map([...this.#context.offsets, [id, offsets]]),
      standbyReplicas: settings.standbyReplicas,
      nowMs,
    });
    this.records.push(...records);
    return at(this.#epoch, next.get(id));
  }

  reconcile(request: Request, targetEpoch: number, target: TaskAssignment): StreamsMember {
    const { member } = this;
    const { activeTasks, standbyTasks, warmupTasks } = request;
    const isTold = activeTasks !== null && standbyTasks !== null && warmupTasks !== null;
    const next = reconcileTasks(member, {
      targetEpoch,
      target,
      holders: new TaskHolders(this.#group.members.values()),
      owned: isTold ? assignmentOf({ activeTasks, standbyTasks, warmupTasks }) : undefined,
    });
    if (!sameCurrent(next, member)) this.records.push(currentRecord(this.#group.id, next));
    return next;
  }
}

function sameTexts(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
