import type { Clock } from '../../../../runtime/clock.ts';
import type { Log } from '../../../../runtime/log.ts';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { StreamsGroupHeartbeatRequest } from '../../../protocol/messages/88-streams-group-heartbeat.ts';
import { isWritten } from '../../append-outcome.ts';
import type { Turns } from '../../turns.ts';
import { writeError } from '../consumer/consumer-groups.ts';
import type { TimerKind } from '../consumer/member-timers.ts';
import { MetadataHasher } from '../consumer/metadata-hash.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { GroupKind } from '../group-kind.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupClient } from '../join.ts';
import { JOIN_EPOCH } from '../member-epochs.ts';
import { type Beat, decideBeat } from './member-beat.ts';
import { removeMember } from './membership.ts';
import { SoftState } from './soft-state.ts';
import type { StreamsConfig } from './streams-config.ts';
import { StreamsGroup } from './streams-group.ts';
import { MemberState, type StreamsMember, sameEndpoint } from './streams-member.ts';
import { assignTasks } from './streams-target.ts';
import type { TaskOffsets } from './task-offsets.ts';
import { sameHeld } from './tasks.ts';

/** What streams groups need of the partition that they live on. */
export interface StreamsGroupsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
  readonly image: TopicImage;
  readonly streams: StreamsConfig;
  readonly groups: () => ReadonlyMap<string, StreamsGroup>;
  /** The log has been read, and this broker leads. */
  readonly isServing: () => boolean;
  readonly kindOf: (groupId: string) => GroupKind | undefined;
  /** The classic group with the id is empty: it makes room. */
  readonly isEmptyClassic: (groupId: string) => boolean;
  readonly forgetClassic: (groupId: string) => void;
  /** Now, or when what is on its way into the log for the group has arrived. */
  readonly afterWrites: (groupId: string, turn: () => void) => void;
  /** Nothing else is decided about the group until it is done. */
  readonly write: (groupId: string, records: readonly GroupRecord[], done: (errorCode: number) => void) => void;
}

/** How long it takes until a member is thrown out again when that could not be stored. */
const RETRY_MS = 500;

const nobodysOffsets: ReadonlyMap<string, TaskOffsets> = new Map();

/** What a heartbeat came to, once it is stored. */
export interface Beaten {
  readonly beat: Beat;
  /** The member's tasks are to be told. */
  readonly isTold: boolean;
  /** What the group's members know of each other's endpoints. */
  readonly endpointEpoch: number;
  readonly shutdownBy: string | undefined;
  /** As they are now, this member among them. */
  readonly members: readonly StreamsMember[];
}

/** The streams groups on one partition of `__consumer_offsets`: their members, and the time limits that these have. */
export class StreamsGroups {
  readonly options: StreamsGroupsOptions;
  readonly #hasher: MetadataHasher;
  readonly #soft = new Map<string, SoftState>();

  constructor(options: StreamsGroupsOptions) {
    this.options = options;
    this.#hasher = new MetadataHasher(options.image);
  }

  get(groupId: string): StreamsGroup | undefined {
    return this.options.isServing() ? this.options.groups().get(groupId) : undefined;
  }

  softState(groupId: string): SoftState {
    let soft = this.#soft.get(groupId);
    if (soft === undefined) {
      const { clock, turns } = this.options;
      soft = new SoftState(clock, turns, () => this.#assignAfterDelay(groupId));
      this.#soft.set(groupId, soft);
    }
    return soft;
  }

  /** A loaded group takes up its work: its members have a whole session's time to be heard of. */
  resume(group: StreamsGroup): void {
    for (const member of group.members.values()) {
      this.#heard(group.id, member.id);
      this.#watchRevocation(group.id, member);
    }
  }

  /** Another broker coordinates the groups now, or the log must be read again. */
  abandon(): void {
    for (const soft of this.#soft.values()) soft.close();
    this.#soft.clear();
  }

  /** Nothing of the group is left. */
  forget(groupId: string): void {
    this.#soft.get(groupId)?.close();
    this.#soft.delete(groupId);
  }

  // ---- heartbeats

  /** @throws KafkaError */
  beat(
    request: StreamsGroupHeartbeatRequest,
    client: GroupClient,
    done: (errorCode: number, beaten: Beaten) => void,
  ): void {
    const { groupId } = request;
    const known = this.get(groupId);
    const { group, before } = this.#open(groupId, request.memberEpoch === JOIN_EPOCH);
    const { clock, image, streams } = this.options;
    const settings = streams.settings(groupId);
    const { changes } = image;
    const delayMs = settings.initialRebalanceDelayMs;
    const context = {
      image,
      hasher: this.#hasher,
      settings,
      groupSizeMax: streams.groupSizeMax,
      nowMs: clock.wallMs(),
      configured: this.#soft.get(groupId)?.configuredAt(changes),
      offsets: this.#soft.get(groupId)?.offsets ?? nobodysOffsets,
      isDelayed: this.#soft.get(groupId)?.isDelayed === true || (group.members.size === 0 && delayMs > 0),
    };
    const beat = decideBeat(group, request, client, context, before);
    const soft = this.softState(groupId);
    const beaten = this.#beaten(request, group, beat, soft);
    if (group.members.size === 0 && delayMs > 0) soft.delay(delayMs);
    // As in Apache's broker, what is not stored of a group begins with the heartbeat after the one that founds it.
    if (known !== undefined) {
      soft.offsets.set(beat.member.id, beat.offsets);
      soft.endpointEpoch = beaten.endpointEpoch;
      soft.configure(beat.configured, changes);
      soft.shutdownBy = beaten.shutdownBy;
    }
    this.options.write(groupId, beat.records, (errorCode) => {
      if (isWritten(errorCode)) this.#settle(groupId, beat, before.length > 0);
      else if (this.get(groupId) === undefined) this.forget(groupId);
      done(writeError(errorCode), beaten);
    });
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND */
  #open(groupId: string, isJoin: boolean): { readonly group: StreamsGroup; readonly before: readonly GroupRecord[] } {
    const known = this.get(groupId);
    if (known !== undefined) return { group: known, before: [] };
    const kind = this.options.kindOf(groupId);
    if (kind === undefined && isJoin) return { group: new StreamsGroup(groupId), before: [] };
    if (kind === 'classic' && isJoin && this.options.isEmptyClassic(groupId)) {
      return { group: new StreamsGroup(groupId), before: [{ kind: 'metadata', group: groupId, value: null }] };
    }
    const why = kind === undefined ? `Streams group ${groupId} not found.` : `Group ${groupId} is not a streams group.`;
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, why);
  }

  #beaten(request: StreamsGroupHeartbeatRequest, group: StreamsGroup, beat: Beat, soft: SoftState): Beaten {
    const { former, member, replaced } = beat;
    const hasNewTasks = !sameHeld(former.assigned, member.assigned);
    const hasNewEndpoint = !sameEndpoint(former.userEndpoint, member.userEndpoint);
    const isEndpointNews = hasNewEndpoint || (hasNewTasks && member.userEndpoint !== null);
    const others = [...group.members.values()].filter(({ id }) => id !== member.id && id !== replaced?.id);
    return {
      beat,
      isTold: request.memberEpoch === JOIN_EPOCH || hasNewTasks,
      endpointEpoch: soft.endpointEpoch + (isEndpointNews ? 1 : 0),
      shutdownBy: soft.shutdownBy ?? (request.shutdownApplication ? request.memberId : undefined),
      members: [...others, member],
    };
  }

  #settle(groupId: string, { records, member, replaced }: Beat, wasClassic: boolean): void {
    const soft = this.softState(groupId);
    if (wasClassic) this.options.forgetClassic(groupId);
    if (replaced !== undefined) soft.forgetMember(replaced.id);
    if (records.length > 0) soft.described = soft.configured;
    this.#heard(groupId, member.id);
    if (records.some(({ kind }) => kind === 'streams-current')) this.#watchRevocation(groupId, member);
  }

  /** The members that came first have been waited for. */
  #assignAfterDelay(groupId: string): void {
    this.options.afterWrites(groupId, () => {
      const group = this.get(groupId);
      const soft = this.#soft.get(groupId);
      const topology = soft?.configured;
      if (group === undefined || soft === undefined || topology === undefined) return;
      if (group.members.size === 0 || group.epoch <= group.targetEpoch) return;
      const { records } = assignTasks({
        groupId,
        epoch: group.epoch,
        members: [...group.members.values()],
        targets: group.targets,
        topology,
        offsets: soft.offsets,
        standbyReplicas: Number(group.assignmentConfigs.get('num.standby.replicas') ?? 0),
        nowMs: this.options.clock.wallMs(),
      });
      this.options.write(groupId, records, (errorCode) => {
        if (isWritten(errorCode)) soft.described = soft.configured;
        else this.options.log.warn('first tasks could not be assigned', { group: groupId, errorCode });
      });
    });
  }

  // ---- who leaves

  store(groupId: string, records: readonly GroupRecord[], done: (errorCode: number) => void): void {
    this.options.write(groupId, records, (errorCode) => {
      const soft = this.#soft.get(groupId);
      if (isWritten(errorCode) && soft !== undefined) soft.described = soft.configured;
      done(writeError(errorCode));
    });
  }

  remove(group: StreamsGroup, member: StreamsMember, done: (errorCode: number) => void): void {
    this.store(group.id, removeMember(group, member), (errorCode) => {
      const soft = this.#soft.get(group.id);
      if (errorCode === ErrorCode.NONE) soft?.forgetMember(member.id);
      // The end was asked for, and is there.
      if (soft !== undefined && this.get(group.id)?.members.size === 0) soft.shutdownBy = undefined;
      done(errorCode);
    });
  }

  // ---- time limits

  #heard(groupId: string, memberId: string): void {
    const delayMs = this.options.streams.settings(groupId).sessionTimeoutMs;
    this.#limit(groupId, memberId, 'session', delayMs, 'its session expired');
  }

  /** A member that must give tasks up has its rebalance timeout for that. */
  #watchRevocation(groupId: string, { id, state, epoch, rebalanceTimeoutMs }: StreamsMember): void {
    const { timers } = this.softState(groupId);
    timers.cancel(id, 'rebalance');
    if (state !== MemberState.UNREVOKED_TASKS) return;
    timers.set(id, 'rebalance', rebalanceTimeoutMs, () => {
      this.options.afterWrites(groupId, () => {
        if (this.get(groupId)?.members.get(id)?.epoch !== epoch) return;
        this.#expel(groupId, id, 'rebalance', `it did not leave epoch ${epoch} in time`);
      });
    });
  }

  #limit(groupId: string, memberId: string, kind: TimerKind, delayMs: number, reason: string): void {
    this.softState(groupId).timers.set(memberId, kind, delayMs, () => this.#expel(groupId, memberId, kind, reason));
  }

  #expel(groupId: string, memberId: string, kind: TimerKind, reason: string): void {
    this.options.afterWrites(groupId, () => {
      const group = this.get(groupId);
      const member = group?.members.get(memberId);
      // It may have been heard of while this waited.
      if (group === undefined || member === undefined || this.softState(groupId).timers.has(memberId, kind)) return;
      this.options.log.info('a member leaves its streams group', { group: groupId, member: memberId, reason });
      this.remove(group, member, (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.#limit(groupId, memberId, kind, RETRY_MS, reason);
      });
    });
  }
}
