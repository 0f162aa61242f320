import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { InternalTopic } from '../coordinator/group/streams/configured-topology.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { asKafkaError } from './request-errors.ts';
import type { TopicAdmin } from './topic-admin.ts';

interface Failure {
  readonly text: string;
  readonly untilMs: number;
}

/** Errors that are remembered; the oldest makes room (`DefaultAutoTopicCreationManager`). */
const FAILURES_MAX = 1000;

/** Topics that applications of Kafka Streams keep for themselves: the broker makes what a group's topology lacks (KIP-1071). */
export class StreamsTopics {
  readonly #admin: TopicAdmin;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #inFlight = new Set<string>();
  /** Of late, by topic: it is not tried again for a while, and members are told why it is missing. */
  readonly #failures = new Map<string, Failure>();

  constructor({ admin, clock, log }: { readonly admin: TopicAdmin; readonly clock: Clock; readonly log: Log }) {
    this.#admin = admin;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to create what is not under way yet. */
  create(topics: readonly InternalTopic[], retryMs: number): void {
    for (const topic of topics) {
      if (this.#inFlight.has(topic.name) || this.#failureOf(topic.name) !== undefined) continue;
      this.#inFlight.add(topic.name);
      void this.#make(topic, retryMs).finally(() => this.#inFlight.delete(topic.name));
    }
  }

  async #make({ name, partitionCount, replicationFactor, config }: InternalTopic, retryMs: number): Promise<void> {
    try {
      const factor = replicationFactor === 0 ? -1 : replicationFactor;
      await this.#admin.create({ name, partitionCount, replicationFactor: factor, config }, false);
    } catch (error) {
      const { code, message } = asKafkaError(error);
      this.#log.warn('a topic of a streams group could not be created', { topic: name, error: message });
      // Whoever made it meanwhile, it is there.
      if (error instanceof KafkaError && code === ErrorCode.TOPIC_ALREADY_EXISTS) return;
      this.#failures.delete(name);
      this.#failures.set(name, { text: message, untilMs: this.#clock.monotonicMs() + retryMs });
      const [oldest] = this.#failures.keys();
      if (this.#failures.size > FAILURES_MAX && oldest !== undefined) this.#failures.delete(oldest);
    }
  }

  /** Why topics could not be created of late, as members are told. */
  failures(topics: readonly InternalTopic[]): readonly string[] {
    return topics.flatMap(({ name }) => {
      const text = this.#failureOf(name);
      return text === undefined ? [] : [`${name} (${text})`];
    });
  }

  #failureOf(topic: string): string | undefined {
    const failure = this.#failures.get(topic);
    if (failure === undefined || this.#clock.monotonicMs() < failure.untilMs) return failure?.text;
    this.#failures.delete(topic);
    return undefined;
  }
}
