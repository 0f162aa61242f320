import type { Runtime } from '../../../runtime/runtime.ts';
import { type Fields, type Message, type Value, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts';
import { buildBatch } from '../../records/builder.ts';
import { RawClient } from './raw-client.ts';

/** What became of a transaction, as far as its producer was told. */
export type Told = 'committed' | 'aborted' | 'unknown';

export interface TransactionalProducerOptions {
  readonly runtime: Runtime;
  readonly transactionalId: string;
  readonly topic: string;
  /** The broker that leads each partition. */
  readonly leaders: readonly number[];
  readonly hostOf: (broker: number) => string;
  /** `transaction.version` that it speaks. */
  readonly version: number;
}

/** Somebody else is the producer now, or the transaction is no more: it begins anew. */
class FatalError extends Error {
  readonly errorCode: number;

  constructor(errorCode: number) {
    super(`error ${errorCode}`);
    this.errorCode = errorCode;
  }
}

const fatal: ReadonlySet<number> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
]);
const PAUSE_MS = 50;
const PATIENCE_MS = 3000;

/** A transactional producer of one record to each partition per transaction, which never gives up. */
export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  readonly #clients = new Map<number, RawClient>();
  #producerId = -1;
  #producerEpoch = -1;
  /** The next of each partition. */
  #sequences: number[] = [];
  isStopped = false;

  constructor(options: TransactionalProducerOptions) {
    this.#options = options;
  }

  async transact(value: string, commit: boolean): Promise<Told> {
    try {
      if (this.#producerId < 0) await this.#init();
      if (this.#options.version < 2) await this.#add();
      for (const partition of this.#options.leaders.keys()) await this.#write(partition, value);
      await this.#end(commit);
      return commit ? 'committed' : 'aborted';
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      this.#producerId = -1;
      return 'unknown';
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.runtime.clock.after(ms, resolve));
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #init(): Promise<void> {
    const { transactionalId } = this.#options;
    const request = { transactionalId, transactionTimeoutMs: 10_000 };
    const answer = await this.#persist(async () => {
      const at = await this.#coordinator();
      return this.#ask(at, InitProducerIdRequest, InitProducerIdResponse, 4, request);
    });
    this.#producerId = answer.producerId;
    this.#producerEpoch = answer.producerEpoch;
    this.#sequences = this.#options.leaders.map(() => 0);
  }

  async #add(): Promise<void> {
    const { topic, leaders, transactionalId } = this.#options;
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: this.#producerId,
      v3AndBelowProducerEpoch: this.#producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [...leaders.keys()] }],
    };
    await this.#persist(async () => {
      const at = await this.#coordinator();
      const answer = await this.#ask(at, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, 3, request);
      const errorCode = answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1;
      return { errorCode };
    });
  }

  async #write(partition: number, value: string): Promise<void> {
    const { runtime, topic, leaders, transactionalId, version } = this.#options;
    // Not long before the marker, or that would begin another segment.
    const timestamp = runtime.clock.wallMs();
    const records = buildBatch({
      records: [{ timestamp, key: null, value: Buffer.from(value) }],
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
      baseSequence: this.#sequences[partition] ?? 0,
      isTransactional: true,
    });
    const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }];
    const request = { transactionalId, acks: -1, timeoutMs: 5000, topicData };
    await this.#persist(async () => {
      const answer = await this.#ask(
        leaders[partition]!,
        ProduceRequest,
        ProduceResponse,
        version < 2 ? 9 : 12,
        request,
      );
      return { errorCode: answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1 };
    });
    this.#sequences[partition] = (this.#sequences[partition] ?? 0) + 1;
  }

  async #end(committed: boolean): Promise<void> {
    const { transactionalId, version } = this.#options;
    const request = {
      transactionalId,
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
      committed,
    };
    const answer = await this.#persist(async () => {
      const at = await this.#coordinator();
      return this.#ask(at, EndTxnRequest, EndTxnResponse, version < 2 ? 3 : 5, request);
    });
    if (version < 2) return;
    this.#producerId = answer.producerId;
    this.#producerEpoch = answer.producerEpoch;
    this.#sequences = this.#options.leaders.map(() => 0);
  }

  async #coordinator(): Promise<number> {
    const request = { coordinatorKeys: [this.#options.transactionalId], keyType: 1 };
    const answer = await this.#ask(0, FindCoordinatorRequest, FindCoordinatorResponse, 4, request);
    const [found] = answer.coordinators;
    if (found === undefined || found.errorCode !== ErrorCode.NONE) throw new RangeError('no coordinator');
    return found.nodeId;
  }

  /** Until there is an answer that is none of passing trouble. */
  async #persist<T extends { readonly errorCode: number }>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await attempt().catch(() => undefined);
      if (answer?.errorCode === ErrorCode.NONE) return answer;
      if (answer !== undefined && fatal.has(answer.errorCode)) throw new FatalError(answer.errorCode);
      if (this.isStopped) throw new FatalError(answer?.errorCode ?? -1);
      await this.pause(PAUSE_MS);
    }
  }

  async #ask<Q extends Fields, R extends Fields>(
    broker: number,
    request: Message<Q>,
    response: Message<R>,
    version: number,
    fields: Partial<Value<Q>>,
  ): Promise<Value<R>> {
    const { runtime, hostOf } = this.#options;
    let client = this.#clients.get(broker);
    if (client === undefined || client.isClosed) {
      client = new RawClient(runtime, `${hostOf(broker)}:9092`);
      this.#clients.set(broker, client);
    }
    const patience = runtime.clock.after(PATIENCE_MS, () => client.close());
    try {
      return await client.ask(request, response, version, fields);
    } finally {
      patience.cancel();
    }
  }
}
