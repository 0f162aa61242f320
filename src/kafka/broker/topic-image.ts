import type { Clock } from '../../runtime/clock.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { TopicImage, TopicView } from '../coordinator/group/consumer/topic-image.ts';
import type { MetadataCache, TopicMetadata } from '../replication/metadata-cache.ts';

/** The topics of the metadata cache as groups see them. One without an id cannot be assigned and does not count. */
export class MetadataTopicImage implements TopicImage {
  readonly #metadata: MetadataCache;
  readonly #clock: Clock;
  #createdCount = -1;
  #version = 0;

  constructor(metadata: MetadataCache, clock: Clock) {
    this.#metadata = metadata;
    this.#clock = clock;
  }

  get changes(): number {
    return this.#metadata.changeCount;
  }

  get version(): number {
    if (this.#createdCount !== this.#metadata.createdCount) this.#version = this.#clock.wallMs();
    this.#createdCount = this.#metadata.createdCount;
    return this.#version;
  }

  topic(name: string): TopicView | undefined {
    const topic = this.#metadata.topic(name);
    return topic === undefined || topic.id === ZERO_UUID ? undefined : this.#view(topic);
  }

  nameOf(id: string): string | undefined {
    return this.#metadata.topicName(id);
  }

  *names(): IterableIterator<string> {
    for (const { name, id } of this.#metadata.topics()) if (id !== ZERO_UUID) yield name;
  }

  #view({ id, name, partitions }: TopicMetadata): TopicView {
    const { brokers } = this.#metadata;
    const partitionRacks = (partition: number): string[] => {
      const racks: string[] = [];
      for (const replica of partitions.get(partition)?.replicas ?? []) {
        const rack = brokers.get(replica)?.rack ?? null;
        if (rack !== null) racks.push(rack);
      }
      return racks;
    };
    return { id, name, partitionCount: partitions.size, partitionRacks };
  }
}
