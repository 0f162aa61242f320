import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { BrokerContext } from './broker-context.ts';

/**
 * Topic requests are answered when this broker's own metadata cache shows their result, or when their time is up although the
 * change may still come (`DelayedCreatePartitions`, `DelayedDeleteTopics`).
 */
export interface TopicWait {
  readonly topics: readonly string[];
  /** A result is visible. */
  readonly isDone: (topic: string) => boolean;
  readonly timeoutMs: number;
}

/** Resolves with the topics whose result is not visible in time. */
export function waitForTopics(broker: BrokerContext, { topics, isDone, timeoutMs }: TopicWait): Promise<string[]> {
  const pending = (): string[] => topics.filter((topic) => !isDone(topic));
  if (timeoutMs <= 0 || pending().length === 0) return Promise.resolve(pending());
  return new Promise((resolve) => {
    broker.topicPurgatory.watch(
      {
        tryComplete: () => {
          if (pending().length > 0) return false;
          resolve([]);
          return true;
        },
        expire: () => resolve(pending()),
      },
      topics,
      timeoutMs,
    );
  });
}

/** Every partition has a leader that lives. */
export function hasLeaders(metadata: MetadataCache, topic: string, partitionCount: number): boolean {
  const known = metadata.topic(topic);
  if (known === undefined || known.partitions.size < partitionCount) return false;
  for (const { leader } of known.partitions.values()) if (!metadata.brokers.has(leader)) return false;
  return true;
}
