import type { Clock } from '../../../../runtime/clock.ts';
import type { Log } from '../../../../runtime/log.ts';
import type { Random } from '../../../../runtime/random.ts';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { HeartbeatRequest } from '../../../protocol/messages/12-heartbeat.ts';
import { isWritten } from '../../append-outcome.ts';
import type { Turns } from '../../turns.ts';
import type { ClassicGroup } from '../classic-group.ts';
import type { DurableState } from '../durable-state.ts';
import type { GroupConfig } from '../group-config.ts';
import type { GroupRecord } from '../group-records.ts';
import type { TopicFilter } from '../join.ts';
import type { Rebalancer } from '../rebalancer.ts';
import { checkClassicHeartbeat, mustJoin } from './classic-members.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, MemberState } from './consumer-member.ts';
import type { DecisionContext, GroupNotes } from './member-change.ts';
import { MemberTimers, type TimerKind } from './member-timers.ts';
import { removeMembers } from './membership.ts';
import { MetadataHasher } from './metadata-hash.ts';
import { checkUpgrade, type Downgrade, downgrade, isDowngrade, upgrade } from './migration.ts';
import { resolveRegexes } from './regexes.ts';
import type { TopicImage } from './topic-image.ts';

/** What a group needs of the partition that it lives on. */
export interface ConsumerGroupsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly turns: Turns;
  readonly config: GroupConfig;
  readonly consumers: ConsumerConfig;
  readonly image: TopicImage;
  readonly rebalancer: Rebalancer;
  readonly state: () => DurableState;
  /** The log has been read, and this broker leads. */
  readonly isServing: () => boolean;
  /** Now, or when what is on its way into the log for the group has arrived. */
  readonly afterWrites: (groupId: string, turn: () => void) => void;
  /** Nothing else is decided about the group until it is done. */
  readonly write: (groupId: string, records: readonly GroupRecord[], done: (errorCode: number) => void) => void;
  /** The classic group with the id is another from now on, or none. */
  readonly setClassic: (groupId: string, group: ClassicGroup | undefined) => void;
  readonly classic: (groupId: string) => ClassicGroup | undefined;
  /** Makes the classic group anew from what the log says. */
  readonly reopenClassic: (groupId: string) => void;
}

/** How long it takes until a member is thrown out again when that could not be stored. */
const RETRY_MS = 500;

interface GroupSoftState {
  readonly timers: MemberTimers;
  /** Of the topics, when the group's were last looked at. */
  changes: number;
  isRefreshingRegexes: boolean;
}

/**
 * The groups of the consumer protocol on one partition: what the log does not hold of them, and how a decision becomes records. At
 * most one decision of a group is on its way into the log.
 */
export class ConsumerGroups {
  readonly options: ConsumerGroupsOptions;
  readonly #hasher: MetadataHasher;
  readonly #soft = new Map<string, GroupSoftState>();

  constructor(options: ConsumerGroupsOptions) {
    this.options = options;
    this.#hasher = new MetadataHasher(options.image);
  }

  get(groupId: string): ConsumerGroup | undefined {
    return this.options.isServing() ? this.options.state().consumerGroups.get(groupId) : undefined;
  }

  context(): DecisionContext {
    const { consumers, image, clock } = this.options;
    return { config: consumers, image, hasher: this.#hasher, nowMs: clock.wallMs() };
  }

  notes(groupId: string): GroupNotes {
    const soft = this.#soft.get(groupId);
    return {
      isTopicsStale: soft?.changes !== this.options.image.changes,
      isRefreshingRegexes: soft?.isRefreshingRegexes === true,
    };
  }

  /**
   * The group that a member of the consumer protocol joins, with the records that make it where it is not one yet.
   * @throws KafkaError GROUP_ID_NOT_FOUND
   */
  open(groupId: string, isJoin: boolean): { readonly group: ConsumerGroup; readonly records: readonly GroupRecord[] } {
    const known = this.get(groupId);
    if (known !== undefined) return { group: known, records: [] };
    const { classic, consumers, image } = this.options;
    const former = classic(groupId);
    if (!isJoin) {
      const why =
        former === undefined ? `Consumer group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`;
      throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, why);
    }
    if (former === undefined) return { group: new ConsumerGroup(groupId), records: [] };
    if (former.state === 'Empty') {
      return { group: new ConsumerGroup(groupId), records: [{ kind: 'metadata', group: groupId, value: null }] };
    }
    checkUpgrade(former, consumers);
    return upgrade(former, image, this.#hasher);
  }

  /** A loaded group takes up its work: its members have a whole session's time to be heard of. */
  resume(group: ConsumerGroup): void {
    for (const member of group.members.values()) {
      this.heard(group.id, member.id);
      this.watchRevocation(group.id, member);
    }
  }

  /** Another broker coordinates the groups now, or the log must be read again. */
  abandon(): void {
    for (const { timers } of this.#soft.values()) timers.close();
    this.#soft.clear();
  }

  /** Nothing of the group is left. */
  forget(groupId: string): void {
    this.#soft.get(groupId)?.timers.close();
    this.#soft.delete(groupId);
  }

  softState(groupId: string): GroupSoftState {
    let soft = this.#soft.get(groupId);
    if (soft === undefined) {
      const timers = new MemberTimers(this.options.clock, this.options.turns);
      soft = { timers, changes: -1, isRefreshingRegexes: false };
      this.#soft.set(groupId, soft);
    }
    return soft;
  }

  /** Stores a decision. The group's topics have been looked at for it. */
  store(groupId: string, records: readonly GroupRecord[], done: (errorCode: number) => void): void {
    const { changes } = this.options.image;
    this.options.write(groupId, records, (errorCode) => {
      if (isWritten(errorCode)) this.softState(groupId).changes = changes;
      done(writeError(errorCode));
    });
  }

  // ---- time limits

  heard(groupId: string, memberId: string, sessionTimeoutMs?: number): void {
    const timeoutMs = sessionTimeoutMs ?? this.options.consumers.times(groupId).sessionTimeoutMs;
    this.limit(groupId, memberId, 'session', timeoutMs, 'its session expired');
  }

  limit(groupId: string, memberId: string, kind: TimerKind, delayMs: number, reason: string): void {
    this.softState(groupId).timers.set(memberId, kind, delayMs, () => this.#expel(groupId, memberId, kind, reason));
  }

  cancel(groupId: string, memberId: string, kind: TimerKind): void {
    this.softState(groupId).timers.cancel(memberId, kind);
  }

  /** A member of the consumer protocol that must give something up has its rebalance timeout for that. */
  watchRevocation(groupId: string, member: ConsumerMember): void {
    if (member.classic !== null) return;
    this.cancel(groupId, member.id, 'rebalance');
    if (member.state !== MemberState.UNREVOKED_PARTITIONS) return;
    const { timers } = this.softState(groupId);
    timers.set(member.id, 'rebalance', member.rebalanceTimeoutMs, () => {
      const isStuck = (): boolean => this.get(groupId)?.members.get(member.id)?.epoch === member.epoch;
      this.options.afterWrites(groupId, () => {
        if (isStuck()) this.#expel(groupId, member.id, 'rebalance', `it did not leave epoch ${member.epoch} in time`);
      });
    });
  }

  #expel(groupId: string, memberId: string, kind: TimerKind, reason: string): void {
    this.options.afterWrites(groupId, () => {
      const group = this.get(groupId);
      const member = group?.members.get(memberId);
      // It may have been heard of while this waited.
      if (group === undefined || member === undefined || this.softState(groupId).timers.has(memberId, kind)) return;
      this.options.log.info('a member leaves its group', { group: groupId, member: memberId, reason });
      this.remove(group, new Set([member]), (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.limit(groupId, memberId, kind, RETRY_MS, reason);
      });
    });
  }

  // ---- who leaves

  /** Members are out; if only those of the classic protocol are left, the group becomes theirs. */
  remove(group: ConsumerGroup, members: ReadonlySet<ConsumerMember>, done: (errorCode: number) => void): void {
    if (members.size === 0) return done(ErrorCode.NONE);
    const { consumers, config } = this.options;
    const asClassic: Downgrade = { group, leaving: members };
    if (isDowngrade(asClassic, consumers, config.groupSizeMax)) {
      this.downgrade(asClassic, [], done, 'a member left that spoke the consumer protocol');
      return;
    }
    this.store(group.id, removeMembers(group, members, this.#hasher), (errorCode) => {
      const soft = this.#soft.get(group.id);
      if (errorCode === ErrorCode.NONE) for (const { id } of members) soft?.timers.forget(id);
      done(errorCode);
    });
  }

  /** @param rebalance why the members of the classic group have to join again, if they have to */
  downgrade(
    asClassic: Downgrade,
    before: readonly GroupRecord[],
    done: (errorCode: number) => void,
    rebalance?: string,
  ): void {
    const { rebalancer, image, log } = this.options;
    const groupId = asClassic.group.id;
    const { classic, records } = downgrade(asClassic, rebalancer, image);
    log.info('a group goes on with the classic protocol', { group: groupId, generation: classic.generation });
    this.options.write(groupId, [...before, ...records], (errorCode) => {
      if (isWritten(errorCode)) {
        this.forget(groupId);
        this.options.setClassic(groupId, classic);
        rebalancer.resume(classic);
        if (rebalance !== undefined) rebalancer.prepareIfSettled(classic, rebalance);
      }
      done(writeError(errorCode));
    });
  }

  // ---- regular expressions

  /** Resolves them apart from the request that called for it, so that its answer does not wait. */
  refresh(groupId: string, regexes: readonly string[], describable: TopicFilter): void {
    if (regexes.length === 0) return;
    const soft = this.softState(groupId);
    soft.isRefreshingRegexes = true;
    const { clock, turns, afterWrites } = this.options;
    clock.soon(() =>
      turns.run(() =>
        afterWrites(groupId, () => {
          if (this.#soft.get(groupId) !== soft) return;
          soft.isRefreshingRegexes = false;
          this.#resolve(groupId, regexes, describable);
        }),
      ),
    );
  }

  #resolve(groupId: string, regexes: readonly string[], describable: TopicFilter): void {
    const group = this.get(groupId);
    const { image, nowMs } = this.context();
    if (group === undefined) return;
    const records: GroupRecord[] = [];
    const subscriptions = group.subscriptions.copy();
    let isChanged = false;
    for (const [regex, value] of resolveRegexes(regexes, describable, image, nowMs)) {
      if (group.subscriptions.regexes.of(regex) === 0) continue;
      const before = group.regexes.get(regex)?.topics ?? [];
      isChanged ||= before.length !== value.topics.length || before.some((name) => !value.topics.includes(name));
      subscriptions.resolve(before, value.topics);
      records.push({ kind: 'consumer-regex', group: groupId, regex, value: { ...value, topics: [...value.topics] } });
    }
    const metadataHash = this.#hasher.hash(subscriptions.topics());
    if (isChanged || metadataHash !== group.metadataHash) {
      records.push({ kind: 'consumer-epoch', group: groupId, value: { epoch: group.epoch + 1, metadataHash } });
    }
    if (records.length === 0) return;
    this.store(groupId, records, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) {
        this.options.log.warn('what regular expressions match could not be stored', { group: groupId, errorCode });
      }
    });
  }

  // ---- a sign of life of a classic member

  /** @throws KafkaError */
  classicHeartbeat(group: ConsumerGroup, request: HeartbeatRequest): number {
    const member = checkClassicHeartbeat(group, request);
    this.heard(group.id, member.id, member.classic?.sessionTimeoutMs);
    if (!mustJoin(group, member)) return ErrorCode.NONE;
    this.expectJoin(group.id, member);
    return ErrorCode.REBALANCE_IN_PROGRESS;
  }

  /** The member has been told to join again: the limit runs from the first time on. */
  expectJoin(groupId: string, member: ConsumerMember): void {
    if (this.softState(groupId).timers.has(member.id, 'join')) return;
    this.limit(groupId, member.id, 'join', member.rebalanceTimeoutMs, 'it did not join within the rebalance timeout');
  }
}

/** What clients are told of an append that failed (`CoordinatorOperationExceptionHelper`). */
export function writeError(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    default:
      return errorCode;
  }
}
