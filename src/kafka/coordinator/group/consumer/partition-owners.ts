import type { OwnedPartitions } from './assignment.ts';
import type { ConsumerMember } from './consumer-member.ts';

/**
 * Which partitions somebody has, assigned or still to be given up, and in which member epoch: a partition goes to its next owner
 * only when it is not here any more.
 */
export class PartitionOwners {
  readonly #topics = new Map<string, Map<number, number>>();

  isOwned(topicId: string, partition: number): boolean {
    return this.#topics.get(topicId)?.has(partition) === true;
  }

  add({ assigned, revoking, epoch }: ConsumerMember): void {
    for (const [topicId, partition] of each(assigned, revoking)) {
      const epochs = this.#topics.get(topicId) ?? new Map<number, number>();
      this.#topics.set(topicId, epochs);
      epochs.set(partition, epoch);
    }
  }

  /** What a newer epoch has taken over meanwhile stays with its new owner. */
  remove({ assigned, revoking, epoch }: ConsumerMember): void {
    for (const [topicId, partition] of each(assigned, revoking)) {
      const epochs = this.#topics.get(topicId);
      if (epochs?.get(partition) === epoch) epochs.delete(partition);
      if (epochs?.size === 0) this.#topics.delete(topicId);
    }
  }
}

function* each(...owned: readonly OwnedPartitions[]): IterableIterator<readonly [string, number]> {
  for (const one of owned) {
    for (const [topicId, partitions] of one) for (const partition of partitions.keys()) yield [topicId, partition];
  }
}
