import type { Log } from '../../runtime/log.ts';
import type { ControllerContext } from './controller-context.ts';
import { RequestBatch } from './request-batch.ts';

/** What came of one attempt to delete a topic's replicas. */
export interface DeletionOutcome {
  readonly topic: string;
  readonly attempt: symbol;
  readonly isComplete: boolean;
}

/** Topics whose replicas are being deleted, each with the attempt that counts. */
export class TopicDeletions {
  readonly #context: ControllerContext;
  readonly #log: Log;
  /** Answers false where a broker did not do what it was asked. */
  readonly #send: (batch: RequestBatch) => Promise<boolean>;
  readonly #attempts = new Map<string, symbol>();

  constructor(context: ControllerContext, log: Log, send: (batch: RequestBatch) => Promise<boolean>) {
    this.#context = context;
    this.#log = log;
    this.#send = send;
  }

  /**
   * Everybody forgets the topic, replicas stop and then delete their logs. While a replica's broker is dead the deletion waits
   * for it: undefined then, and while an attempt is under way.
   */
  begin(topic: string): Promise<DeletionOutcome> | undefined {
    if (this.#attempts.has(topic)) return undefined;
    const context = this.#context;
    context.topicsToDelete.add(topic);
    const partitions = context.partitionsOf(topic);
    const replicas = partitions.flatMap(({ partition }) =>
      context.replicas(topic, partition).map((id) => ({ id, partition })),
    );
    if (replicas.some(({ id }) => !context.brokers.has(id))) {
      this.#log.info('a topic deletion waits for a broker that is not live', { topic });
      return undefined;
    }
    const attempt = Symbol(topic);
    this.#attempts.set(topic, attempt);
    const forget = new RequestBatch(context);
    forget.metadata(context.live, partitions);
    for (const { id, partition } of replicas) forget.stop(id, topic, partition, false);
    const remove = new RequestBatch(context);
    for (const { id, partition } of replicas) remove.stop(id, topic, partition, true);
    // A broker's requests go one after the other: what is to be removed was stopped before.
    return Promise.all([forget, remove].map((batch) => this.#send(batch))).then((done) => ({
      topic,
      attempt,
      isComplete: !done.includes(false),
    }));
  }

  /** Whether the topic's replicas are gone; an attempt that was given up meanwhile says nothing. */
  end({ topic, attempt, isComplete }: DeletionOutcome): boolean {
    if (this.#attempts.get(topic) !== attempt) return false;
    this.#attempts.delete(topic);
    if (!isComplete) this.#log.warn('a topic deletion waits: a broker could not delete its replicas', { topic });
    return isComplete;
  }

  /** The topic is gone. */
  forget(topic: string): void {
    this.#attempts.delete(topic);
  }

  /** What a dead broker was asked to delete it is asked again when it comes back. */
  giveUp(): void {
    this.#attempts.clear();
  }
}
