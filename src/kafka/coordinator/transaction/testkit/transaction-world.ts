import { silent } from '../../../../runtime/log.ts';
import { Scheduler, SimProcess } from '../../../../runtime/sim/scheduler.ts';
import { afterPromises } from '../../../../runtime/sim/settle.ts';
import { SimClock } from '../../../../runtime/sim/sim-clock.ts';
import { build } from '../../../../wire/schema.ts';
import {
  ListTransactionsRequest,
  type ListTransactionsResponse,
} from '../../../protocol/messages/66-list-transactions.ts';
import { MemoryTopic } from '../../testkit/memory-topic.ts';
import type { DescribedTransaction } from '../describe.ts';
import type { ProducerIdAndEpoch } from '../init-producer-id.ts';
import { partitionSet } from '../partition-set.ts';
import type { TransactionConfig } from '../transaction-config.ts';
import { TransactionCoordinator } from '../transaction-coordinator.ts';
import { decodeRecord, encodeRecord, type TransactionRecord } from '../transaction-records.ts';
import { MarkerLeaders } from './marker-leaders.ts';

export const ID = 'tx';
export const WALL_START_MS = 1_790_000_000_000;
export const TIMEOUT_MS = 60_000;

/** An answer that may not be there yet. */
export interface Pending<T> {
  answer: T | undefined;
  count: number;
}

export interface Producer extends ProducerIdAndEpoch {
  readonly errorCode: number;
}

const quickConfig: TransactionConfig = {
  timeoutMaxMs: 900_000,
  abortIntervalMs: 10_000,
  idExpirationMs: 604_800_000,
  expiryIntervalMs: 3_600_000,
  loadBufferBytes: 1_000_000,
  version: 0,
};

/** A coordinator on a topic in memory, in virtual time, with leaders of partitions that a test commands. */
export class TransactionWorld {
  readonly topic: MemoryTopic<TransactionRecord>;
  readonly leaders = new MarkerLeaders();
  readonly clock: SimClock;
  readonly config: TransactionConfig;
  readonly #scheduler = new Scheduler();
  readonly #process = new SimProcess('broker', 0, () => false);
  #nextProducerId = 4000;
  #coordinatorEpoch = 0;
  /** Nobody hands out producer ids. */
  hasNoIds = false;
  coordinator: TransactionCoordinator;

  constructor(config: Partial<TransactionConfig> = {}, partitionCount = 1) {
    this.config = { ...quickConfig, ...config };
    const version = this.config.version >= 1 ? 1 : 0;
    this.topic = new MemoryTopic(partitionCount, {
      encode: (record) => encodeRecord(record, version),
      decode: decodeRecord,
    });
    this.clock = new SimClock(this.#scheduler, this.#process, { offsetMs: WALL_START_MS });
    this.coordinator = this.#newCoordinator();
  }

  /** A world whose coordinator is loaded. */
  static async ready(config: Partial<TransactionConfig> = {}, partitionCount = 1): Promise<TransactionWorld> {
    const world = new TransactionWorld(config, partitionCount);
    await world.electAll();
    return world;
  }

  #newCoordinator(): TransactionCoordinator {
    const coordinator = new TransactionCoordinator({
      coordinatorLog: this.topic,
      clock: this.clock,
      log: silent,
      config: this.config,
      transport: this.leaders,
      newProducerId: () => {
        this.#nextProducerId += 1;
        return this.hasNoIds ? Promise.reject(new RangeError('no ids')) : Promise.resolve(this.#nextProducerId);
      },
    });
    coordinator.start();
    return coordinator;
  }

  async electAll(): Promise<void> {
    for (let partition = 0; partition < this.topic.partitionCount(); partition += 1) {
      this.topic.lead(partition);
      this.coordinator.onElected(partition, this.#coordinatorEpoch);
    }
    await this.run(10);
  }

  /** The process is killed and comes back on what its log holds, as the leader of a later epoch. */
  async restart(): Promise<void> {
    this.kill();
    this.#coordinatorEpoch += 1;
    this.coordinator = this.#newCoordinator();
    await this.electAll();
  }

  /** Nothing that was under way comes back. */
  kill(): void {
    this.coordinator.close();
  }

  get coordinatorEpoch(): number {
    return this.#coordinatorEpoch;
  }

  nextEpoch(): number {
    this.#coordinatorEpoch += 1;
    return this.#coordinatorEpoch;
  }

  /** Lets so much time pass, and every promise settle. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#scheduler.nowMs + ms;
    await settle();
    for (let next = this.#scheduler.nextMs; next !== undefined && next <= untilMs; next = this.#scheduler.nextMs) {
      this.#scheduler.runNext();
      if (this.#scheduler.failure !== undefined) throw this.#scheduler.failure.error;
      await settle();
    }
    this.#scheduler.skipTo(untilMs);
  }

  // ---- requests

  async init(given: { id?: string; as?: ProducerIdAndEpoch | undefined; timeoutMs?: number } = {}): Promise<Producer> {
    const pending = this.initLater(given);
    await this.run(0);
    return pending.answer ?? { errorCode: Number.NaN, producerId: -1, producerEpoch: -1 };
  }

  initLater(given: { id?: string; as?: ProducerIdAndEpoch | undefined; timeoutMs?: number } = {}): Pending<Producer> {
    const pending: Pending<Producer> = { answer: undefined, count: 0 };
    const request = { timeoutMs: given.timeoutMs ?? TIMEOUT_MS, expected: given.as };
    this.coordinator.initProducerId(given.id ?? ID, request, producerInto(pending));
    return pending;
  }

  add(
    producer: ProducerIdAndEpoch,
    given: { id?: string; partitions?: number[]; topic?: string; version?: number } = {},
  ): Pending<number> {
    const pending: Pending<number> = { answer: undefined, count: 0 };
    const { id = ID, partitions = [0], topic = 't', version = 0 } = given;
    const { producerId, producerEpoch } = producer;
    this.coordinator.addPartitions(
      { transactionalId: id, producerId, producerEpoch, partitions: partitionSet([{ topic, partitions }]) },
      version,
      (errorCode) => {
        pending.answer = errorCode;
        pending.count += 1;
      },
    );
    return pending;
  }

  verify({ producerId, producerEpoch }: ProducerIdAndEpoch, partition = 0): number {
    let found = Number.NaN;
    const partitions = partitionSet([{ topic: 't', partitions: [partition] }]);
    this.coordinator.verifyPartitions({ transactionalId: ID, producerId, producerEpoch, partitions }, (errorOf) => {
      found = errorOf('t', partition);
    });
    return found;
  }

  end(
    producer: ProducerIdAndEpoch,
    committed: boolean,
    given: { id?: string; version?: number } = {},
  ): Pending<Producer> {
    const pending: Pending<Producer> = { answer: undefined, count: 0 };
    const { producerId, producerEpoch } = producer;
    const request = { transactionalId: given.id ?? ID, producerId, producerEpoch, committed };
    this.coordinator.endTransaction(request, given.version ?? 0, producerInto(pending));
    return pending;
  }

  describe(id = ID): DescribedTransaction {
    let described: DescribedTransaction | undefined;
    this.coordinator.describe(id, (answer) => {
      described = answer;
    });
    return described as DescribedTransaction;
  }

  get state(): string {
    return this.describe().transactionState;
  }

  list(filters: Partial<ListTransactionsRequest> = {}): ListTransactionsResponse {
    let listed: ListTransactionsResponse | undefined;
    this.coordinator.list(build(ListTransactionsRequest, filters), (answer) => {
      listed = answer;
    });
    return listed as ListTransactionsResponse;
  }

  /** The states that the log has been told of an id, in order; null for a tombstone. */
  states(id = ID): (string | null)[] {
    return this.topic
      .records(0)
      .filter((record) => record.id === id)
      .map(({ metadata }) => metadata?.state ?? null);
  }
}

function producerInto(pending: Pending<Producer>): (errorCode: number, producer: ProducerIdAndEpoch) => void {
  return (errorCode, { producerId, producerEpoch }) => {
    pending.answer = { errorCode, producerId, producerEpoch };
    pending.count += 1;
  };
}

const settle = (): Promise<void> => new Promise((resolve) => afterPromises(resolve));
