import type { GroupRecord } from '../group-records.ts';
import type { TopicPartitions } from './assignment.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import {
  type ConsumerMember,
  currentValue,
  isReconciledTo,
  metadataValue,
  sameCurrent,
  sameMetadata,
  sameNames,
} from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import type { MetadataHasher } from './metadata-hash.ts';
import { reconcile } from './reconcile.ts';
import { changeRegex } from './regexes.ts';
import type { Subscriptions } from './subscriptions.ts';
import { assignTarget, subscribedNames, targetOf } from './target.ts';
import { type TopicImage, topicIds } from './topic-image.ts';

/** What decisions about groups are made with. */
export interface DecisionContext {
  readonly config: ConsumerConfig;
  readonly image: TopicImage;
  readonly hasher: MetadataHasher;
  /** Wall time. */
  readonly nowMs: number;
}

/** What is known of the group beside its records. */
export interface GroupNotes {
  /** Topics may have changed since the group's were last looked at. */
  readonly isTopicsStale: boolean;
  readonly isRefreshingRegexes: boolean;
}

/**
 * One member's change on its way through the group, as a list of records that grows: its metadata, the group's epoch if that calls
 * for it, the target assignment if the epoch has gone past it, and the member's next step towards it.
 */
export class MemberChange {
  readonly records: GroupRecord[];
  readonly group: ConsumerGroup;
  readonly former: ConsumerMember;
  /** As it is to be. */
  member: ConsumerMember;
  /** What the member says that it has; undefined where it does not say. */
  owned: readonly TopicPartitions[] | undefined;
  /** Expressions to resolve once this is stored. */
  refresh: readonly string[] = [];
  #epoch: number;
  #hasSubscriptionChanged = false;
  readonly #context: DecisionContext;

  /** @param records what has to come before */
  constructor(
    group: ConsumerGroup,
    former: ConsumerMember,
    updated: ConsumerMember,
    context: DecisionContext,
    records: readonly GroupRecord[],
  ) {
    this.group = group;
    this.former = former;
    this.member = updated;
    this.records = [...records];
    this.#epoch = group.epoch;
    this.#context = context;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * A member of the consumer protocol waits with its target until its regular expression is resolved; one of the classic protocol
   * never has any, so whatever changed about it counts.
   */
  subscribe(notes: GroupNotes): void {
    const { group, former, member } = this;
    if (!sameMetadata(former, member))
      this.#push({ kind: 'consumer-member', member: member.id, value: metadataValue(member) });
    const isNameChange = !sameNames(former.topicNames, member.topicNames);
    const { config, image, nowMs } = this.#context;
    const regex = changeRegex(group, former, member, image, {
      nowMs,
      refreshIntervalMs: config.regexRefreshIntervalMs,
      isRefreshing: notes.isRefreshingRegexes,
    });
    this.records.push(...regex.records);
    this.refresh = regex.refresh;
    this.#hasSubscriptionChanged = isNameChange || regex.isChanged;
    const isEpochChange =
      member.classic === null
        ? isNameChange || (regex.isChanged && regex.isResolved) || this.#assignor(former, member) !== this.#assignor()
        : this.#hasSubscriptionChanged;
    if (isEpochChange || notes.isTopicsStale) this.#bumpEpoch(isEpochChange);
  }

  #bumpEpoch(isEpochChange: boolean): void {
    const { group } = this;
    const hash = this.#context.hasher.hash(this.#subscriptions().topics());
    if (isEpochChange || hash !== group.metadataHash) {
      this.#epoch = group.epoch + 1;
      this.#push({ kind: 'consumer-epoch', value: { epoch: this.#epoch, metadataHash: hash } });
    }
    if (group.hasTopicsRecord) this.#push({ kind: 'consumer-topics', value: null });
  }

  #subscriptions(): Subscriptions {
    const { group, former, member } = this;
    const subscriptions = group.subscriptions.with(former, member);
    // The last one of an expression takes its topics along.
    for (const [regex, { topics }] of group.regexes) {
      if (subscriptions.regexes.of(regex) === 0) subscriptions.resolve(topics, []);
    }
    return subscriptions;
  }

  /** A new target where the epoch has gone past the last one, unless that was made only a moment ago. */
  assign(): void {
    const { group, member } = this;
    const { config, image, nowMs } = this.#context;
    const intervalMs = config.times(group.id).assignmentIntervalMs;
    const isDue = group.targetTimestampMs === 0 || intervalMs === 0 || nowMs >= group.targetTimestampMs + intervalMs;
    if (group.targetEpoch >= this.#epoch || !isDue) {
      this.reconcile();
      return;
    }
    const { records, target } = assignTarget({
      group,
      epoch: this.#epoch,
      updated: member,
      isHomogeneous: this.#isHomogeneous(),
      assignor: this.#assignor(this.former, member),
      image,
      nowMs,
    });
    this.records.push(...records);
    this.#reconcileTo(this.#epoch, target);
  }

  /** On the way to the target that there is. */
  reconcile(): void {
    this.#reconcileTo(this.group.targetEpoch, targetOf(this.group, this.member));
  }

  #reconcileTo(targetEpoch: number, target: ReturnType<typeof targetOf>): void {
    const { group, member } = this;
    if (!this.#hasSubscriptionChanged && isReconciledTo(member, targetEpoch)) return;
    const next = reconcile(member, {
      targetEpoch,
      target,
      owners: group.owners,
      owned: this.owned,
      subscribed: new Set(topicIds(this.#context.image, subscribedNames(member, group.regexes))),
      hasSubscriptionChanged: this.#hasSubscriptionChanged,
    });
    if (sameCurrent(next, member)) return;
    this.member = next;
    this.#push({ kind: 'consumer-current', member: next.id, value: currentValue(next) });
  }

  #isHomogeneous(): boolean {
    const { group, member } = this;
    const isThere = group.members.has(member.id) || group.staticMember(member.instanceId) !== undefined;
    return this.#subscriptions().isHomogeneous(group.members.size + (isThere ? 0 : 1));
  }

  #assignor(former?: ConsumerMember, updated?: ConsumerMember): string {
    return this.group.preferredAssignor(former, updated) ?? this.#context.config.assignors[0]!;
  }

  #push(record: Omitted): void {
    this.records.push({ ...record, group: this.group.id });
  }
}

type Omitted = ConsumerRecord extends infer R ? (R extends ConsumerRecord ? Omit<R, 'group'> : never) : never;
