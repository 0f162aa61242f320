import { ErrorCode } from '../../../protocol/errors.ts';
import type { Marked } from './marker-leaders.ts';

export type Outcome = 'committed' | 'aborted';

interface ProducerOnPartition {
  epoch: number;
  coordinatorEpoch: number;
  /** Transactions that have written since the last marker. */
  open: Set<number>;
}

/** One partition as its leader keeps it: who has written within which transaction, and how each of them ended. */
export class PartitionModel {
  /** By the number that the test gave each transaction. */
  readonly outcomes = new Map<number, Outcome>();
  readonly #producers = new Map<number, ProducerOnPartition>();

  /** Answers whether the record was taken: a later epoch refuses it. */
  write(producerId: number, epoch: number, transaction: number): boolean {
    const producer = this.#producerOf(producerId);
    if (epoch < producer.epoch) return false;
    producer.epoch = epoch;
    producer.open.add(transaction);
    return true;
  }

  mark({ producerId, producerEpoch, coordinatorEpoch, committed }: Marked): number {
    const producer = this.#producerOf(producerId);
    if (coordinatorEpoch < producer.coordinatorEpoch) return ErrorCode.TRANSACTION_COORDINATOR_FENCED;
    if (producerEpoch < producer.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH;
    producer.epoch = producerEpoch;
    producer.coordinatorEpoch = coordinatorEpoch;
    for (const transaction of producer.open) this.outcomes.set(transaction, committed ? 'committed' : 'aborted');
    producer.open.clear();
    return ErrorCode.NONE;
  }

  /** Transactions that readers still wait for. */
  get openCount(): number {
    return [...this.#producers.values()].reduce((count, { open }) => count + open.size, 0);
  }

  #producerOf(producerId: number): ProducerOnPartition {
    let producer = this.#producers.get(producerId);
    if (producer === undefined) {
      producer = { epoch: -1, coordinatorEpoch: -1, open: new Set() };
      this.#producers.set(producerId, producer);
    }
    return producer;
  }
}
