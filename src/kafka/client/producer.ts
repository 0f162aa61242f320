import { Deque } from '../../base/deque.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import type { CodecName } from '../records/batch.ts';
import type { NewRecord } from '../records/builder.ts';
import type { RecordHeader } from '../records/iterate.ts';
import { recordSizeUpperBound } from '../records/write-record.ts';
import {
  BufferExhaustedError,
  ClientClosedError,
  ClientUsageError,
  TransactionAbortedError,
  timedOut,
} from './client-errors.ts';
import { type ClientOptions, Cluster } from './cluster.ts';
import type { TopicMetadata } from './cluster-metadata.ts';
import type { CommittedOffset, Committer } from './offsets.ts';
import { DefaultPartitioner, type Partitioner } from './partitioner.ts';
import type { RecordMetadata } from './producer-batch.ts';
import { Sender } from './sender.ts';
import { Transactions } from './transactions.ts';

/** Names and defaults are those of Apache's producer keys. */
export interface ProducerOptions extends ClientOptions {
  /** -1 (all in-sync replicas), 1 (the leader), 0 (nobody); default -1. */
  readonly acks?: -1 | 0 | 1;
  /** No record twice, none out of order; default: wherever acks is -1. */
  readonly enableIdempotence?: boolean;
  /** How long a batch waits for more records; default 0. */
  readonly lingerMs?: number;
  /** Bytes of a batch; default 16 KiB. */
  readonly batchSize?: number;
  readonly compression?: CodecName;
  readonly compressionLevel?: number;
  /** Bytes of records held; default 32 MiB. As many again may wait for room. */
  readonly bufferMemory?: number;
  /** Largest record, and largest request; default 1 MiB. */
  readonly maxRequestSize?: number;
  /** `max.in.flight.requests.per.connection`; default 5. */
  readonly maxInFlight?: number;
  /** How long a record waits for metadata and room; default 60 s. */
  readonly maxBlockMs?: number;
  /** From `send` to success or failure; default 2 minutes. */
  readonly deliveryTimeoutMs?: number;
  /** Default: as often as the delivery timeout allows. */
  readonly retries?: number;
  readonly partitioner?: Partitioner;
  /** Makes the producer transactional: its records are written in transactions only (KIP-98). */
  readonly transactionalId?: string;
  /** `transaction.timeout.ms`: what stays open for longer, its coordinator aborts; default 60 s. */
  readonly transactionTimeoutMs?: number;
}

export interface ProducerRecord {
  readonly topic: string;
  /** Default: by key. */
  readonly partition?: number;
  readonly key?: Uint8Array | string | null;
  readonly value?: Uint8Array | string | null;
  readonly headers?: readonly RecordHeader[];
  /** ms since 1970; default: now. */
  readonly timestamp?: number;
}

interface Waiting {
  readonly record: NewRecord;
  readonly partition: number | undefined;
  readonly size: number;
  readonly deadlineMs: number;
  resolve(metadata: RecordMetadata): void;
  reject(error: unknown): void;
}

/** Opens a producer; records may be sent at once. */
export function createProducer(runtime: Runtime, options: ProducerOptions): Producer {
  return new Producer(runtime, options);
}

/**
 * Sends records. Those of one partition arrive in the order of the calls; with idempotence each exactly once, whatever is
 * retried. A record's promise settles when the broker has acknowledged it as `acks` wants, or never will.
 */
export class Producer {
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #sender: Sender;
  readonly #transactions: Transactions | undefined;
  readonly #partitioner: Partitioner;
  readonly #bufferMemory: number;
  readonly #maxRequestSize: number;
  readonly #maxBlockMs: number;
  /** Records that wait for metadata or room, by topic. */
  readonly #waiting = new Map<string, Deque<Waiting>>();
  #waitingBytes = 0;
  #blockTimer: Timer | undefined;
  #closed = false;

  constructor(runtime: Runtime, options: ProducerOptions) {
    const { acks = -1, batchSize = 16_384, enableIdempotence = acks === -1, maxInFlight = 5 } = options;
    if (enableIdempotence && acks !== -1) {
      throw new ClientUsageError(
        'Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.',
      );
    }
    if (options.transactionalId !== undefined && !enableIdempotence) {
      throw new ClientUsageError('Cannot set a transactional.id without also enabling idempotence.');
    }
    if (enableIdempotence && maxInFlight > 5) {
      throw new ClientUsageError(
        'Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer.',
      );
    }
    this.#clock = runtime.clock;
    this.#cluster = new Cluster(runtime, options, `Producer clientId=${options.clientId ?? ''}`);
    this.#partitioner = options.partitioner ?? new DefaultPartitioner(runtime.random, batchSize);
    this.#bufferMemory = options.bufferMemory ?? 33_554_432;
    this.#maxRequestSize = options.maxRequestSize ?? 1_048_576;
    this.#maxBlockMs = options.maxBlockMs ?? 60_000;
    this.#transactions = this.#newTransactions(options);
    this.#sender = new Sender(
      runtime,
      this.#cluster,
      {
        acks,
        enableIdempotence,
        lingerMs: options.lingerMs ?? 0,
        batchSize,
        codec: options.compression ?? 'none',
        compressionLevel: options.compressionLevel,
        maxRequestSize: this.#maxRequestSize,
        maxInFlight,
        deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
        retries: options.retries ?? Number.POSITIVE_INFINITY,
        transactions: this.#transactions,
      },
      {
        topics: () => this.#waiting.keys(),
        refreshed: () => this.#releaseAll(),
        freed: () => this.#releaseAll(),
        isShortOfRoom: () => this.#waitingBytes > 0,
        failed: (error) => this.#failWaiting(() => error),
      },
    );
  }

  #newTransactions({ transactionalId, transactionTimeoutMs = 60_000 }: ProducerOptions): Transactions | undefined {
    if (transactionalId === undefined) return undefined;
    return new Transactions(
      this.#cluster,
      { transactionalId, transactionTimeoutMs, maxBlockMs: this.#maxBlockMs },
      {
        added: () => this.#sender.pump(),
        failed: (error) => {
          this.#failWaiting(() => error);
          this.#sender.abortQueued(error);
        },
      },
    );
  }

  /** Bytes of records that are not yet settled. */
  get bufferedBytes(): number {
    return this.#sender.bufferedBytes + this.#waitingBytes;
  }

  /** The partitions of a topic. */
  async partitionsOf(topic: string): Promise<TopicMetadata> {
    const topics = await this.#cluster.topics([topic]);
    return topics.get(topic)!;
  }

  /** Rejects with KafkaError, BufferExhaustedError or ClientClosedError. */
  send(record: ProducerRecord): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new ClientClosedError('producer');
      this.#transactions?.checkOpen();
      const { topic, partition, headers = [], timestamp = this.#clock.wallMs() } = record;
      const made = { key: bytesOf(record.key), value: bytesOf(record.value), headers, timestamp };
      const size = recordSizeUpperBound(made);
      if (size > this.#maxRequestSize) {
        throw new KafkaError(
          ErrorCode.MESSAGE_TOO_LARGE,
          `The message is ${size} bytes when serialized which is larger than ${this.#maxRequestSize}, which is the value of the max.request.size configuration.`,
        );
      }
      const deadlineMs = this.#clock.monotonicMs() + this.#maxBlockMs;
      this.#take(topic, { record: made, partition, size, deadlineMs, resolve, reject });
    });
  }

  /**
   * Once, before the first transaction: fences earlier producers of this transactional id, and ends what they left open.
   * @throws KafkaError REQUEST_TIMED_OUT: may be called again
   */
  async initTransactions(): Promise<void> {
    await this.#requireTransactions().init();
  }

  /** @throws KafkaError PRODUCER_FENCED where another producer took over: close this one */
  beginTransaction(): void {
    this.#requireTransactions().begin();
  }

  /**
   * Offsets of a group that count if and when the transaction is committed. Throws as `commitTransaction` does.
   * @param committer the consumer's `groupMetadata`, so that a member that was put out is refused (KIP-447)
   */
  async sendOffsetsToTransaction(offsets: readonly CommittedOffset[], committer: Committer): Promise<void> {
    await this.#requireTransactions().sendOffsets(offsets, committer);
  }

  /**
   * Sends what is there and commits.
   * @throws TransactionFailedError: to be aborted; KafkaError REQUEST_TIMED_OUT: nobody knows yet, to be called again; any other
   * KafkaError, PRODUCER_FENCED above all: close this producer
   */
  async commitTransaction(): Promise<void> {
    const transactions = this.#requireTransactions();
    transactions.beginEnding(true);
    await this.flush();
    await transactions.end(true);
  }

  /** What was not sent yet fails with TransactionAbortedError. After REQUEST_TIMED_OUT it is to be called again. */
  async abortTransaction(): Promise<void> {
    await this.#abort(this.#requireTransactions());
  }

  async #abort(transactions: Transactions): Promise<void> {
    transactions.beginEnding(false);
    const error = new TransactionAbortedError();
    this.#failWaiting(() => error);
    this.#sender.abortQueued(error);
    await this.#sender.flush();
    await transactions.end(false);
  }

  #requireTransactions(): Transactions {
    if (this.#closed) throw new ClientClosedError('producer');
    if (this.#transactions === undefined) {
      throw new ClientUsageError('Cannot use transactional methods without a transactional.id');
    }
    return this.#transactions;
  }

  /** Resolves when every record sent so far is settled, one way or the other. */
  async flush(): Promise<void> {
    const waiting = [...this.#waiting.values()].flatMap((queue) => [...queue]);
    const released = waiting.map((each) => settled(each));
    await Promise.all([...released, this.#sender.flush()]);
    if (released.length > 0) await this.#sender.flush();
  }

  /** Sends what is there, then ends; an open transaction is aborted. Records that are not settled by then fail. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { timeoutMs } = options;
    const finish = (): Promise<void> =>
      this.#transactions?.isOpen === true ? this.#abort(this.#transactions).catch(() => undefined) : this.flush();
    if (timeoutMs === undefined) await finish();
    else if (timeoutMs > 0) await this.#cluster.within(finish(), timeoutMs);
    this.#blockTimer?.cancel();
    this.#failWaiting(() => new ClientClosedError('producer'));
    this.#sender.close();
    this.#cluster.close();
  }

  #take(topic: string, waiting: Waiting): void {
    let queue = this.#waiting.get(topic);
    if (queue === undefined) {
      queue = new Deque();
      this.#waiting.set(topic, queue);
    }
    if (queue.size === 0 && this.#hasRoomFor(waiting) && this.#append(topic, waiting)) return;
    if (this.#waitingBytes + waiting.size > this.#bufferMemory) throw new BufferExhaustedError(2 * this.#bufferMemory);
    queue.push(waiting);
    this.#waitingBytes += waiting.size;
    if (this.#usable(topic) === undefined) this.#sender.refreshMetadata();
    this.#armBlockTimer();
  }

  #hasRoomFor({ size }: Waiting): boolean {
    return this.#sender.bufferedBytes === 0 || this.#sender.bufferedBytes + size <= this.#bufferMemory;
  }

  #usable(topic: string): TopicMetadata | undefined {
    const known = this.#cluster.metadata.topics.get(topic);
    return known !== undefined && known.errorCode === ErrorCode.NONE && known.partitions.length > 0 ? known : undefined;
  }

  /** Answers false while the topic, or the wanted partition of it, is not known. */
  #append(topic: string, waiting: Waiting): boolean {
    const metadata = this.#usable(topic);
    if (metadata === undefined) return false;
    const { record, partition = this.#partitioner.choose(metadata, record.key ?? null) } = waiting;
    if (!metadata.partitions.some((each) => each.partition === partition)) {
      this.#sender.refreshMetadata(); // partitions may have been added
      return false;
    }
    if (waiting.partition === undefined && record.key === null) this.#partitioner.appended(topic, waiting.size);
    this.#sender.append(topic, partition, record, waiting);
    return true;
  }

  /** Metadata came, or room. */
  #releaseAll(): void {
    for (const [topic, queue] of this.#waiting) {
      const fatal = this.#fatalErrorOf(topic);
      for (let head = queue.peek(); head !== undefined; head = queue.peek()) {
        if (fatal !== undefined) head.reject(fatal);
        else if (!this.#hasRoomFor(head) || !this.#append(topic, head)) break;
        queue.shift();
        this.#waitingBytes -= head.size;
      }
      if (queue.size > 0 && this.#usable(topic) === undefined) this.#sender.refreshMetadata();
    }
  }

  /** What no wait will cure: an illegal name, no permission. */
  #fatalErrorOf(topic: string): KafkaError | undefined {
    const code = this.#cluster.metadata.topics.get(topic)?.errorCode ?? ErrorCode.NONE;
    if (code === ErrorCode.NONE) return undefined;
    const error = errorOf(code);
    return error.retriable ? undefined : error;
  }

  #armBlockTimer(): void {
    if (this.#blockTimer !== undefined) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const queue of this.#waiting.values()) nextMs = Math.min(nextMs, queue.peek()?.deadlineMs ?? nextMs);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#blockTimer = this.#clock.after(Math.max(0, nextMs - this.#clock.monotonicMs()), () => {
      this.#blockTimer = undefined;
      const nowMs = this.#clock.monotonicMs();
      this.#failWaiting((topic, { deadlineMs, partition }) => {
        if (deadlineMs > nowMs) return undefined;
        if (this.#usable(topic) === undefined) {
          return timedOut(`Topic ${topic} not present in metadata after ${this.#maxBlockMs} ms.`);
        }
        return timedOut(
          partition === undefined
            ? `Failed to allocate memory within the configured max blocking time ${this.#maxBlockMs} ms.`
            : `Partition ${partition} of topic ${topic} with partition count ${this.#usable(topic)!.partitions.length} is not present in metadata after ${this.#maxBlockMs} ms.`,
        );
      });
      this.#armBlockTimer();
    });
  }

  /** Fails the heads of the queues as long as there is an error for them. */
  #failWaiting(errorFor: (topic: string, waiting: Waiting) => unknown): void {
    for (const [topic, queue] of this.#waiting) {
      for (let head = queue.peek(); head !== undefined; head = queue.peek()) {
        const error = errorFor(topic, head);
        if (error === undefined) break;
        queue.shift();
        this.#waitingBytes -= head.size;
        head.reject(error);
      }
    }
  }
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** Tells when a waiting record is settled, without changing what its sender hears. */
function settled(waiting: Waiting): Promise<void> {
  const { resolve, reject } = waiting;
  return new Promise((done) => {
    waiting.resolve = (metadata) => {
      resolve(metadata);
      done();
    };
    waiting.reject = (error) => {
      reject(error);
      done();
    };
  });
}
