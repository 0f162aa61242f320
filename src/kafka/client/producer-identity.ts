import { ErrorCode, errorOf } from '../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/22-init-producer-id.ts';
import type { Cluster } from './cluster.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerBatch, ProducerId } from './producer-batch.ts';

/** Producer epochs are int16; the last one is never used. */
const PRODUCER_EPOCH_MAX = 32_766;

/** The id and epoch under which an idempotent producer's sequence numbers count. */
export class ProducerIdentity {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;
  #current: ProducerId | undefined;
  #asking = false;

  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined until a broker gave one. */
  get current(): ProducerId | undefined {
    return this.#current;
  }

  /** Asks for an id, once at a time. */
  ask(failed: (error: unknown) => void, done: () => void): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#cluster
      .retrying(() => this.#init(), this.#timeoutMs)
      .catch(failed)
      .finally(() => {
        this.#asking = false;
        done();
      });
  }

  async #init(): Promise<void> {
    const connection = await this.#cluster.any();
    const answer = await connection.request(InitProducerIdRequest, InitProducerIdResponse, {
      transactionalId: null,
      transactionTimeoutMs: 2_147_483_647,
    });
    if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode);
    this.#current = { id: answer.producerId, epoch: answer.producerEpoch };
  }

  /** Sequence numbers of the partition begin anew under a higher epoch, which brokers accept unasked (KIP-360). */
  raiseEpoch(queue: PartitionQueue, batch: ProducerBatch): void {
    const { id, epoch } = this.#current!;
    if (queue.producer === this.#current) {
      if (epoch >= PRODUCER_EPOCH_MAX) {
        this.#current = undefined; // a new id is asked for before anything is sent
        batch.baseSequence = -1;
        return;
      }
      this.#current = { id, epoch: epoch + 1 };
    }
    queue.queued.unshift(batch);
    queue.restart(this.#current!);
    queue.queued.shift();
  }
}
