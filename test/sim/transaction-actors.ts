import {
  ClientClosedError,
  TransactionAbortedError,
  TransactionFailedError,
} from '../../src/kafka/client/client-errors.ts';
import { type Consumer, createConsumer } from '../../src/kafka/client/consumer.ts';
import { createProducer, type Producer } from '../../src/kafka/client/producer.ts';
import { ErrorCode, KafkaError } from '../../src/kafka/protocol/errors.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import type { Transaction, TransactionHistory } from './transaction-history.ts';

export interface TransactionActorOptions {
  readonly machine: SimMachine;
  readonly bootstrap: string;
  readonly random: SimRandom;
  readonly history: TransactionHistory;
  readonly violated: (error: unknown) => void;
  /** Partitions that writers fill and the transformer reads. */
  readonly sources: readonly number[];
  /** Partitions that only the transformer fills. */
  readonly targets: readonly number[];
  readonly transactionTimeoutMs: number;
}

export const SOURCE = 'spool';
export const TARGET = 'thread';
export const GROUP = 'spinners';
export const clientOptions = { requestTimeoutMs: 2000, connectTimeoutMs: 1500, apiTimeoutMs: 8000 };
/** How often a commit or an abort without an answer is asked for again before the producer is given up. */
const END_ATTEMPTS = 3;

function isExpected(error: unknown): boolean {
  return (
    error instanceof KafkaError ||
    error instanceof TransactionFailedError ||
    error instanceof TransactionAbortedError ||
    error instanceof ClientClosedError
  );
}

/** Whether a transaction failed and its producer can go on once it has aborted it. */
const isAbortable = (error: unknown): boolean => error instanceof TransactionFailedError;
const isUnanswered = (error: unknown): boolean =>
  error instanceof KafkaError && error.code === ErrorCode.REQUEST_TIMED_OUT;

/** One life of a transactional id: a producer that works until it is fenced, fails or is told to end. */
export class ProducerLife {
  readonly #options: TransactionActorOptions;
  readonly #owner: string;
  readonly #life: number;
  readonly #producer: Producer;
  readonly #work: TransactionWork;
  #serial = 0;
  isBegun = false;
  isEnded = false;
  isStopping = false;

  constructor(owner: string, life: number, work: TransactionWork, options: TransactionActorOptions) {
    this.#options = options;
    this.#owner = owner;
    this.#life = life;
    this.#work = work;
    this.#producer = createProducer(options.machine.runtime, {
      bootstrapServers: options.bootstrap,
      clientId: `${owner}.${life}`,
      transactionalId: owner,
      transactionTimeoutMs: options.transactionTimeoutMs,
      deliveryTimeoutMs: 6000,
      maxBlockMs: 8000,
      lingerMs: options.random.pick([0, 5]),
      ...clientOptions,
    });
  }

  async run(): Promise<void> {
    const { history, random, violated } = this.#options;
    try {
      await this.#producer.initTransactions();
      history.lifeBegan(this.#owner, this.#life);
      this.isBegun = true;
      while (!this.isStopping) await this.transact(random.chance(0.75));
    } catch (error) {
      if (!isExpected(error)) violated(error);
    }
    this.isEnded = true;
    this.#work.reset();
    // A process that is killed ends nothing in order.
    await this.#producer.close(random.chance(0.5) ? { timeoutMs: 0 } : { timeoutMs: 3000 });
  }

  /** Its process is gone, in the middle of anything. */
  kill(): void {
    void this.#producer.close({ timeoutMs: 0 });
  }

  /** @throws what ends this life */
  async transact(commit: boolean): Promise<void> {
    const { history, random } = this.#options;
    this.#producer.beginTransaction();
    this.#serial += 1;
    const transaction = history.began(this.#owner, this.#life, this.#serial);
    try {
      await this.#work.fill(this.#producer, transaction);
      if (commit) {
        history.asked(transaction, 'commit');
        await persist(() => this.#producer.commitTransaction());
        history.told(transaction, 'committed');
      }
    } catch (error) {
      if (!isAbortable(error) && transaction.asked === 'commit') throw error;
      if (!isExpected(error)) throw error;
    }
    if (transaction.told === undefined) {
      // What failed before its commit was sent, no later word can commit.
      history.asked(transaction, 'abort');
      await persist(() => this.#producer.abortTransaction());
      history.told(transaction, 'aborted');
      this.#work.reset();
    }
    await pause(this.#options.machine, random.between(0, 200));
  }
}

async function persist(end: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await end();
    } catch (error) {
      if (attempt === END_ATTEMPTS || !isUnanswered(error)) throw error;
    }
  }
}

/** What a transaction does between its beginning and its end. */
export interface TransactionWork {
  fill(producer: Producer, transaction: Transaction): Promise<void>;
  /** The last transaction was aborted, or its producer is given up. */
  reset(): void;
}

/** Writes to some of the sources. */
export class WritingWork implements TransactionWork {
  readonly #options: TransactionActorOptions;

  constructor(options: TransactionActorOptions) {
    this.#options = options;
  }

  async fill(producer: Producer, transaction: Transaction): Promise<void> {
    const { random, machine, sources, transactionTimeoutMs } = this.#options;
    const count = 1 + random.below(6);
    const sent: Promise<unknown>[] = [];
    for (let index = 0; index < count; index += 1) {
      const partition = random.pick(sources);
      sent.push(send(producer, transaction, { topic: SOURCE, partition, value: `${transaction.name}/${index}` }));
      if (random.chance(0.3)) await pause(machine, random.between(0, 100));
    }
    if (random.chance(0.6)) await Promise.all(sent);
    if (random.chance(0.03)) await pause(machine, 1.5 * transactionTimeoutMs);
  }

  reset(): void {}
}

/** Reads what is committed in the sources and writes each record to a target, with the offsets in the same transaction. */
export class TransformingWork implements TransactionWork {
  readonly #options: TransactionActorOptions;
  #consumer: Consumer | undefined;

  constructor(options: TransactionActorOptions) {
    this.#options = options;
  }

  async fill(producer: Producer, transaction: Transaction): Promise<void> {
    const { random, targets, sources, machine, bootstrap } = this.#options;
    if (this.#consumer === undefined) {
      this.#consumer = createConsumer(machine.runtime, {
        bootstrapServers: bootstrap,
        groupId: GROUP,
        enableAutoCommit: false,
        autoOffsetReset: 'earliest',
        isolation: 'read_committed',
        ...clientOptions,
      });
      this.#consumer.assign(sources.map((partition) => ({ topic: SOURCE, partition })));
    }
    const records = await this.#consumer.poll({ timeoutMs: 500, max: 1 + random.below(8) });
    for (const [index, { partition, offset }] of records.entries()) {
      const value = `${transaction.name}/${index}=${SOURCE}-${partition}@${offset}`;
      void send(producer, transaction, { topic: TARGET, partition: random.pick(targets), value });
      transaction.offsets.set(`${SOURCE}-${partition}`, offset + 1);
    }
    const offsets = sources.flatMap((partition) => {
      const offset = transaction.offsets.get(`${SOURCE}-${partition}`);
      return offset === undefined ? [] : [{ topic: SOURCE, partition, offset }];
    });
    await producer.sendOffsetsToTransaction(offsets, this.#consumer.groupMetadata);
    if (random.chance(0.3)) await pause(machine, random.between(0, 300));
  }

  reset(): void {
    void this.#consumer?.close({ timeoutMs: 0 });
    this.#consumer = undefined;
  }
}

/** What cannot be sent fails the transaction, so nobody need look at the record's own promise. */
function send(
  producer: Producer,
  { records }: Transaction,
  record: { readonly topic: string; readonly partition: number; readonly value: string },
): Promise<unknown> {
  records.set(record.value, `${record.topic}-${record.partition}`);
  return producer.send(record).catch((error: unknown) => {
    if (!isExpected(error)) throw error;
  });
}

export function pause(machine: SimMachine, ms: number): Promise<void> {
  return new Promise((resolve) => machine.runtime.clock.after(ms, resolve));
}

/** The lives of one transactional id, one after another; the old one often goes on as a zombie beside the new one. */
export class TransactionalActor {
  readonly owner: string;
  readonly #options: TransactionActorOptions;
  readonly #newWork: () => TransactionWork;
  readonly #lives: ProducerLife[] = [];
  #isStopping = false;
  isDone = false;

  constructor(owner: string, newWork: () => TransactionWork, options: TransactionActorOptions) {
    this.owner = owner;
    this.#newWork = newWork;
    this.#options = options;
  }

  get lives(): number {
    return this.#lives.length;
  }

  stop(): void {
    this.#isStopping = true;
    for (const life of this.#lives) life.isStopping = true;
  }

  kill(): void {
    for (const life of this.#lives) if (!life.isEnded) life.kill();
  }

  async run(): Promise<void> {
    const { machine, random } = this.#options;
    const running: Promise<void>[] = [];
    while (!this.#isStopping) {
      const life = this.newLife();
      running.push(life.run());
      const untilMs = machine.runtime.clock.monotonicMs() + random.between(1000, 12_000);
      const isOver = (): boolean => this.#isStopping || machine.runtime.clock.monotonicMs() >= untilMs;
      while (!life.isEnded && (!life.isBegun || !isOver())) await pause(machine, 50);
      if (random.chance(0.4)) life.isStopping = true;
    }
    await Promise.all(running);
    this.isDone = true;
  }

  newLife(): ProducerLife {
    const life = new ProducerLife(this.owner, this.#lives.length + 1, this.#newWork(), this.#options);
    this.#lives.push(life);
    return life;
  }
}
