import { murmur2 } from '../../base/murmur2.ts';
import { below, type Random } from '../../runtime/random.ts';
import type { TopicMetadata } from './cluster-metadata.ts';

/** Where a record without a partition goes. */
export interface Partitioner {
  /** A partition of the topic, which has at least one. */
  choose(topic: TopicMetadata, key: Uint8Array | null): number;
  /** Bytes were appended to a partition that `choose` gave for a null key. */
  appended(topic: string, bytes: number): void;
}

/** Keyed records by murmur2, as Java's clients place them. */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

interface Sticky {
  readonly partition: number;
  bytes: number;
}

/**
 * Apache's default since 3.3 (KIP-794): keys by murmur2; records without a key stay with one partition for `batch.size` bytes,
 * then go to another, at random among those with a leader.
 */
export class DefaultPartitioner implements Partitioner {
  readonly #random: Random;
  readonly #batchSize: number;
  readonly #sticky = new Map<string, Sticky>();

  constructor(random: Random, batchSize: number) {
    this.#random = random;
    this.#batchSize = batchSize;
  }

  choose(topic: TopicMetadata, key: Uint8Array | null): number {
    if (key !== null) return partitionOfKey(key, topic.partitions.length);
    const sticky = this.#sticky.get(topic.name);
    if (sticky !== undefined && sticky.bytes < this.#batchSize && sticky.partition < topic.partitions.length) {
      return sticky.partition;
    }
    const led = topic.partitions.filter(({ leader }) => leader >= 0);
    const candidates = led.length > 0 ? led : topic.partitions;
    const partition = candidates[below(this.#random, candidates.length)]!.partition;
    this.#sticky.set(topic.name, { partition, bytes: 0 });
    return partition;
  }

  appended(topic: string, bytes: number): void {
    const sticky = this.#sticky.get(topic);
    if (sticky !== undefined) sticky.bytes += bytes;
  }
}
