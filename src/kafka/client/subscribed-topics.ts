import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode, errorOf } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';
import type { TopicMetadata } from './cluster-metadata.ts';

export type Subscription = readonly string[] | RegExp;

/** While a wanted topic does not exist or has no leader. */
const MISSING_TOPIC_RETRY_MS = 1_000;

export interface SubscribedTopicsOwner {
  /** Of the partitions that are read now: their metadata is wanted too. */
  assignedTopics(): Iterable<string>;
  /** The group has to share out anew. */
  changed(): void;
  /** For a reason that waiting does not mend. */
  failed(error: unknown): void;
}

/** What a subscription comes to in topics, and whether that still is what the group shared out. */
export class SubscribedTopics {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #options: { readonly allowAutoTopicCreation: boolean; readonly metadataMaxAgeMs: number };
  readonly #owner: SubscribedTopicsOwner;
  #subscription: Subscription | undefined;
  #names: readonly string[] = [];
  /** As the group's leader: what the assignment was made of. */
  #leaderView: ReadonlyMap<string, number> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    runtime: { readonly clock: Clock; readonly log: Log },
    cluster: Cluster,
    options: { readonly allowAutoTopicCreation: boolean; readonly metadataMaxAgeMs: number },
    owner: SubscribedTopicsOwner,
  ) {
    this.#clock = runtime.clock;
    this.#log = runtime.log;
    this.#cluster = cluster;
    this.#options = options;
    this.#owner = owner;
  }

  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  subscribe(subscription: Subscription): void {
    this.#subscription = subscription;
    this.#names = subscription instanceof RegExp ? [] : subscription;
  }

  async find(): Promise<void> {
    if (this.#subscription instanceof RegExp) {
      const pattern = this.#subscription;
      const { topics } = await this.#cluster.refresh('all');
      this.#names = [...topics.values()]
        .filter((topic) => !topic.isInternal && matches(pattern, topic.name))
        .map(({ name }) => name);
    } else {
      const { allowAutoTopicCreation } = this.#options;
      const wanted = new Set([...this.#names, ...this.#owner.assignedTopics()]);
      const { topics } = await this.#cluster.refresh([...wanted], { allowAutoTopicCreation });
      this.#failForGood(topics);
    }
  }

  /** No permission, an illegal name: waiting does not help. */
  #failForGood(topics: ReadonlyMap<string, TopicMetadata>): void {
    for (const { errorCode } of topics.values()) {
      if (errorCode !== ErrorCode.NONE && !errorOf(errorCode).retriable) this.#owner.failed(errorOf(errorCode));
    }
  }

  /** New topics that match, new partitions: the leader has the group share them out. */
  watch(leaderView: ReadonlyMap<string, number> | undefined): void {
    this.#leaderView = leaderView;
    this.#watch();
  }

  #watch(): void {
    this.#timer?.cancel();
    const isMissing = this.#names.some((topic) => this.#partitionCount(topic) === 0);
    const { metadataMaxAgeMs } = this.#options;
    const delayMs = isMissing ? Math.min(MISSING_TOPIC_RETRY_MS, metadataMaxAgeMs) : metadataMaxAgeMs;
    this.#timer = this.#clock.after(delayMs, () => {
      const before = this.#names;
      this.find()
        .then(() => this.#compareWithLeaderView(before))
        .catch((error: unknown) => this.#log.debug('no metadata', { error }))
        .finally(() => {
          if (!this.#closed) this.#watch();
        });
    });
  }

  #compareWithLeaderView(before: readonly string[]): void {
    const isSameList = before.length === this.#names.length && before.every((topic) => this.#names.includes(topic));
    const view = this.#leaderView;
    const isSameView =
      view === undefined || this.#names.every((topic) => (view.get(topic) ?? 0) === this.#partitionCount(topic));
    if (!isSameList || !isSameView) this.#owner.changed();
  }

  #partitionCount(topic: string): number {
    return this.#cluster.metadata.topics.get(topic)?.partitions.length ?? 0;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}

/** The whole name, as Java's `matches`. */
function matches(pattern: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(topic);
}
