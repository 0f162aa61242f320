import type { Clock } from '../../../../runtime/clock.ts';
import type { Log } from '../../../../runtime/log.ts';
import { build } from '../../../../wire/schema.ts';
import { ErrorCode, errorInfo, KafkaError } from '../../../protocol/errors.ts';
import {
  type ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../../protocol/messages/76-share-group-heartbeat.ts';
import { isWritten } from '../../append-outcome.ts';
import type { Turns } from '../../turns.ts';
import type { GroupTimes } from '../consumer/consumer-config.ts';
import { writeError } from '../consumer/consumer-groups.ts';
import { attempt } from '../consumer/consumer-requests.ts';
import { MemberTimers } from '../consumer/member-timers.ts';
import { MetadataHasher } from '../consumer/metadata-hash.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import type { GroupClient } from '../join.ts';
import { JOIN_EPOCH, LEAVE_EPOCH } from '../member-epochs.ts';
import { partitionsRecord } from './partitions-record.ts';
import { type Beat, decideBeat, decideRemoval, type HeartbeatContext } from './share-decisions.ts';
import { ShareGroup, type ShareMember, type TopicShares, topicPartitionsOf } from './share-group.ts';
import type { ShareRecord } from './share-records.ts';
import type { ShareStateKeeper } from './share-state-keeper.ts';

export interface ShareMembershipConfig {
  readonly groupSizeMax: number;
  times(groupId: string): GroupTimes;
}

/** What share groups need of the partition that they live on. */
export interface ShareGroupsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
  readonly image: TopicImage;
  readonly shares: ShareMembershipConfig;
  readonly keeper: ShareStateKeeper;
  readonly groups: () => ReadonlyMap<string, ShareGroup>;
  /** The log has been read, and this broker leads. */
  readonly isServing: () => boolean;
  /** A group of another kind has the id. */
  readonly isTaken: (groupId: string) => boolean;
  /** Now, or when what is on its way into the log for the group has arrived. */
  readonly afterWrites: (groupId: string, turn: () => void) => void;
  /** Nothing else is decided about the group until it is done. */
  readonly write: (groupId: string, records: readonly ShareRecord[], done: (errorCode: number) => void) => void;
}

export type ShareHeartbeatAnswer = (response: ShareGroupHeartbeatResponse) => void;

/** How long it takes until a member is thrown out again when that could not be stored. */
const RETRY_MS = 500;

interface SoftState {
  readonly timers: MemberTimers;
  /** Of the topics, when the group's were last looked at. */
  changes: number;
  isInitializing: boolean;
}

export function shareHeartbeatError(
  code: number,
  message: string | null = errorInfo(code).message,
): ShareGroupHeartbeatResponse {
  return build(ShareGroupHeartbeatResponse, { errorCode: code, errorMessage: message });
}

/** The share groups on one partition of `__consumer_offsets`: their members, and the delivery state that their partitions need. */
export class ShareGroups {
  readonly options: ShareGroupsOptions;
  readonly #hasher: MetadataHasher;
  readonly #soft = new Map<string, SoftState>();

  constructor(options: ShareGroupsOptions) {
    this.options = options;
    this.#hasher = new MetadataHasher(options.image);
  }

  get(groupId: string): ShareGroup | undefined {
    return this.options.isServing() ? this.options.groups().get(groupId) : undefined;
  }

  #softState(groupId: string): SoftState {
    let soft = this.#soft.get(groupId);
    if (soft === undefined) {
      const timers = new MemberTimers(this.options.clock, this.options.turns);
      soft = { timers, changes: -1, isInitializing: false };
      this.#soft.set(groupId, soft);
    }
    return soft;
  }

  /** A loaded group takes up its work: its members have a whole session's time to be heard of. */
  resume(group: ShareGroup): void {
    for (const { id } of group.members.values()) this.#heard(group.id, id);
  }

  abandon(): void {
    for (const { timers } of this.#soft.values()) timers.close();
    this.#soft.clear();
  }

  forget(groupId: string): void {
    this.#soft.get(groupId)?.timers.close();
    this.#soft.delete(groupId);
  }

  // ---- members

  heartbeat(request: ShareGroupHeartbeatRequest, client: GroupClient, answer: ShareHeartbeatAnswer): void {
    attempt(
      () => {
        if (request.memberEpoch === LEAVE_EPOCH) this.#leave(request, answer);
        else this.#beat(request, client, answer);
      },
      ({ code, message }) => answer(shareHeartbeatError(code, message)),
    );
  }

  #beat(request: ShareGroupHeartbeatRequest, client: GroupClient, answer: ShareHeartbeatAnswer): void {
    const { groupId } = request;
    const group = this.#groupOf(groupId, request.memberEpoch === JOIN_EPOCH);
    const beat = decideBeat(group, request, client, this.#context(groupId));
    const { changes } = this.options.image;
    this.options.write(groupId, beat.records, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) return answer(shareHeartbeatError(writeError(errorCode)));
      this.#softState(groupId).changes = changes;
      this.#heard(groupId, beat.member.id);
      answer(this.#response(groupId, beat));
      this.#initialize(groupId);
    });
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND */
  #groupOf(groupId: string, isJoin: boolean): ShareGroup {
    const known = this.get(groupId);
    if (known !== undefined) return known;
    if (this.options.isTaken(groupId)) {
      throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} is not a share group.`);
    }
    if (isJoin) return new ShareGroup(groupId);
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Share group ${groupId} not found.`);
  }

  #context(groupId: string): HeartbeatContext {
    const { image, clock, shares } = this.options;
    return {
      image,
      hasher: this.#hasher,
      nowMs: clock.wallMs(),
      groupSizeMax: shares.groupSizeMax,
      assignmentIntervalMs: shares.times(groupId).assignmentIntervalMs,
      isTopicsStale: this.#softState(groupId).changes !== image.changes,
    };
  }

  #response(groupId: string, { member, isTold }: Beat): ShareGroupHeartbeatResponse {
    return build(ShareGroupHeartbeatResponse, {
      memberId: member.id,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: this.options.shares.times(groupId).heartbeatIntervalMs,
      assignment: isTold ? { topicPartitions: topicPartitionsOf(member.assigned) } : null,
    });
  }

  #leave({ groupId, memberId, memberEpoch }: ShareGroupHeartbeatRequest, answer: ShareHeartbeatAnswer): void {
    const group = this.get(groupId);
    if (group === undefined) throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`);
    const member = group.members.get(memberId);
    if (member === undefined) {
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${groupId}.`);
    }
    this.#remove(group, member, (errorCode) =>
      answer(
        errorCode === ErrorCode.NONE
          ? build(ShareGroupHeartbeatResponse, { memberId, memberEpoch })
          : shareHeartbeatError(errorCode),
      ),
    );
  }

  #remove(group: ShareGroup, member: ShareMember, done: (errorCode: number) => void): void {
    const context = { hasher: this.#hasher, nowMs: this.options.clock.wallMs() };
    this.options.write(group.id, decideRemoval(group, member, context), (errorCode) => {
      if (errorCode === ErrorCode.NONE) this.#soft.get(group.id)?.timers.forget(member.id);
      done(writeError(errorCode));
    });
  }

  #heard(groupId: string, memberId: string, delayMs = this.options.shares.times(groupId).sessionTimeoutMs): void {
    this.#softState(groupId).timers.set(memberId, 'session', delayMs, () => this.#expire(groupId, memberId));
  }

  #expire(groupId: string, memberId: string): void {
    this.options.afterWrites(groupId, () => {
      const group = this.get(groupId);
      const member = group?.members.get(memberId);
      // It may have been heard of while this waited.
      if (group === undefined || member === undefined) return;
      if (this.#softState(groupId).timers.has(memberId, 'session')) return;
      this.options.log.info('the session of a member of a share group expired', { group: groupId, member: memberId });
      this.#remove(group, member, (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.#heard(groupId, memberId, RETRY_MS);
      });
    });
  }

  // ---- delivery state

  /** Makes the delivery state of partitions that have none; they are assigned once it is there. */
  #initialize(groupId: string): void {
    const group = this.get(groupId);
    const soft = this.#softState(groupId);
    if (group === undefined || group.initializing.size === 0 || soft.isInitializing) return;
    soft.isInitializing = true;
    const wanted = group.initializing;
    const made = new Map<string, TopicShares>();
    let pending = 0;
    for (const { partitions } of wanted.values()) pending += partitions.length;
    const settled = (): void => {
      pending -= 1;
      if (pending > 0) return;
      soft.isInitializing = false;
      this.#initialized(groupId, made);
    };
    for (const [topicId, { topicName, partitions }] of wanted) {
      for (const partition of partitions) {
        const state = { stateEpoch: group.epoch, startOffset: -1 };
        this.options.keeper.initialize({ groupId, topicId, partition }, state, ({ errorCode }) => {
          if (errorCode === ErrorCode.NONE) add(made, topicId, topicName, partition);
          else this.options.log.warn('delivery state could not be made', { groupId, topicId, partition, errorCode });
          settled();
        });
      }
    }
  }

  #initialized(groupId: string, made: ReadonlyMap<string, TopicShares>): void {
    if (made.size === 0) return;
    this.options.turns.run(() =>
      this.options.afterWrites(groupId, () => {
        const group = this.get(groupId);
        if (group === undefined) return;
        this.options.write(groupId, [partitionsRecord(group, { initialized: made })], (errorCode) => {
          if (!isWritten(errorCode))
            this.options.log.warn('share partitions could not be stored', { groupId, errorCode });
        });
      }),
    );
  }

  /** Topics are gone: what is stored of them is no group's. */
  topicsDeleted(topicIds: ReadonlySet<string>): void {
    for (const groupId of [...this.options.groups().keys()]) {
      this.options.afterWrites(groupId, () => {
        const group = this.get(groupId);
        if (group === undefined) return;
        const known = [...group.initialized.keys(), ...group.initializing.keys(), ...group.deleting.keys()];
        if (!known.some((topicId) => topicIds.has(topicId))) return;
        this.options.write(groupId, [partitionsRecord(group, { gone: topicIds })], () => undefined);
      });
    }
  }
}

function add(shares: Map<string, TopicShares>, topicId: string, topicName: string, partition: number): void {
  const partitions = [...(shares.get(topicId)?.partitions ?? []), partition];
  shares.set(topicId, { topicName, partitions });
}
