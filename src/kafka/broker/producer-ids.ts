import type { KafkaZk } from '../zk/kafka-zk.ts';

/** Hands out producer ids, each only once in the life of the cluster: blocks come from ZooKeeper (`ZkProducerIdManager`). */
export class ProducerIds {
  readonly #brokerId: number;
  readonly #zk: KafkaZk;
  #next = 0;
  #end = 0;
  #fetching: Promise<void> | undefined;

  constructor(brokerId: number, zk: KafkaZk) {
    this.#brokerId = brokerId;
    this.#zk = zk;
  }

  async next(): Promise<number> {
    while (this.#next >= this.#end) {
      this.#fetching ??= this.#fetch();
      await this.#fetching;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  async #fetch(): Promise<void> {
    try {
      const { first, count } = await this.#zk.allocateProducerIds(this.#brokerId);
      this.#next = first;
      this.#end = first + count;
    } finally {
      this.#fetching = undefined;
    }
  }
}
