import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import type { CodecName } from '../records/batch.ts';
import type { NewRecord } from '../records/builder.ts';
import { recordSizeUpperBound } from '../records/write-record.ts';
import { ClientClosedError, codeOf, isRetriable, timedOut } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey } from './cluster-metadata.ts';
import type { BrokerConnection } from './connection.ts';
import { PartitionQueue } from './partition-queue.ts';
import { answersOf, type PartitionAnswer, recordErrorsOf, topicDataOf } from './produce-requests.ts';
import { ProducerBatch, type ProducerId, type RecordMetadata } from './producer-batch.ts';
import { ProducerIdentity } from './producer-identity.ts';
import type { Transactions } from './transactions.ts';

export interface SenderOptions {
  readonly acks: -1 | 0 | 1;
  readonly enableIdempotence: boolean;
  readonly lingerMs: number;
  readonly batchSize: number;
  readonly codec: CodecName;
  readonly compressionLevel: number | undefined;
  readonly maxRequestSize: number;
  readonly maxInFlight: number;
  readonly deliveryTimeoutMs: number;
  readonly retries: number;
  /** Of a transactional producer. */
  readonly transactions: Transactions | undefined;
}

export interface SenderOwner {
  /** Whose metadata is wanted. */
  topics(): Iterable<string>;
  /** Metadata came. */
  refreshed(): void;
  /** Records were settled: there is room. */
  freed(): void;
  /** Records wait for room: no batch waits for more. */
  isShortOfRoom(): boolean;
  /** Nothing can be sent, for a reason that will not pass. */
  failed(error: unknown): void;
}

interface Waiter {
  resolve(metadata: RecordMetadata): void;
  reject(error: unknown): void;
}

/** Collects records into batches and batches into requests, sends, retries. */
export class Sender {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #options: SenderOptions;
  readonly #owner: SenderOwner;
  readonly #identity: ProducerIdentity;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Those with something queued. */
  readonly #busy = new Set<PartitionQueue>();
  readonly #unfinished = new Set<ProducerBatch>();
  readonly #inFlight = new Map<BrokerConnection, number>();
  readonly #connecting = new Set<number>();
  #bufferedBytes = 0;
  #flushing = 0;
  #refreshing = false;
  #refreshWanted = false;
  readonly #drained = (): void => this.#pump();
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #pumpIsDue = false;
  #closed = false;

  constructor(runtime: Runtime, cluster: Cluster, options: SenderOptions, owner: SenderOwner) {
    this.#runtime = { ...runtime, log: runtime.log.named('org.apache.kafka.clients.producer.internals.Sender') };
    this.#clock = runtime.clock;
    this.#cluster = cluster;
    this.#options = options;
    this.#owner = owner;
    this.#identity = new ProducerIdentity(cluster, options.deliveryTimeoutMs);
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  append(topic: string, partition: number, record: NewRecord, waiter: Waiter): void {
    const queue = this.#queueOf(topic, partition);
    let batch = queue.queued.at(-1);
    if (batch === undefined || batch.attempts > 0 || !batch.hasRoomFor(record, this.#options.batchSize)) {
      batch = new ProducerBatch(topic, partition, this.#clock.monotonicMs());
      queue.queued.push(batch);
      this.#unfinished.add(batch);
    }
    batch.append(record, waiter);
    this.#bufferedBytes += recordSizeUpperBound(record);
    this.#busy.add(queue);
    this.#pumpSoon();
  }

  /** Fails what is not under way. */
  abortQueued(error: unknown): void {
    for (const queue of this.#busy) {
      for (const batch of queue.queued.splice(0)) this.#failForGood(batch, error);
    }
    this.#busy.clear();
  }

  async flush(): Promise<void> {
    this.#flushing += 1;
    try {
      this.#pump();
      await Promise.all([...this.#unfinished].map(({ finished }) => finished));
    } finally {
      this.#flushing -= 1;
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const error = new ClientClosedError('producer');
    for (const batch of this.#unfinished) batch.fail(error);
    this.#unfinished.clear();
    this.#busy.clear();
  }

  /** Metadata, permissions or room changed. */
  pump(): void {
    this.#pump();
  }

  /** Under whom new batches count. */
  get #producer(): ProducerId | undefined {
    const { enableIdempotence, transactions } = this.#options;
    if (transactions !== undefined) return transactions.producer;
    return enableIdempotence ? this.#identity.current : undefined;
  }

  /** Asks until all that wait have leaders. */
  refreshMetadata(): void {
    this.#refreshWanted = true;
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.#refreshLoop().finally(() => {
      this.#refreshing = false;
    });
  }

  async #refreshLoop(): Promise<void> {
    for (let count = 0; this.#refreshWanted && !this.#closed; count += 1) {
      if (count > 0) await this.#cluster.pause(this.#cluster.backoffMs(count - 1));
      this.#refreshWanted = false;
      const topics = new Set(this.#owner.topics());
      for (const queue of this.#busy) topics.add(queue.topic);
      try {
        await this.#cluster.refresh([...topics]);
        this.#owner.refreshed();
      } catch (error) {
        if (this.#closed) return;
        if (isRetriable(error)) this.#refreshWanted = true;
        else this.#failAll(error);
      }
      this.#pump();
    }
  }

  #queueOf(topic: string, partition: number): PartitionQueue {
    const key = partitionKey(topic, partition);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** Later in this turn of the loop: what is sent together travels together. */
  #pumpSoon(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    this.#clock.soon(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  /** Sends all that may be sent now. */
  #pump(): void {
    if (this.#closed) return;
    if (this.#cluster.isMetadataStale && this.#busy.size > 0) this.refreshMetadata();
    const nowMs = this.#clock.monotonicMs();
    const requests = new Map<BrokerConnection, ProducerBatch[]>();
    const sizes = new Map<BrokerConnection, number>();
    for (const queue of this.#busy) {
      this.#expire(queue, nowMs);
      if (queue.queued.length === 0) {
        this.#busy.delete(queue);
        continue;
      }
      for (;;) {
        const inFlightMax = this.#options.acks === 0 ? Infinity : this.#options.enableIdempotence ? 5 : 1;
        const batch = queue.next(inFlightMax);
        if (batch === undefined || !this.#isDue(queue, batch, nowMs)) break;
        const connection = this.#connectionFor(queue);
        if (connection === undefined) break;
        const size = sizes.get(connection) ?? 0;
        const alreadyInRequest = requests.get(connection)?.some((other) => isSamePartition(other, batch)) === true;
        // A request has one batch a partition.
        if (alreadyInRequest || (size > 0 && size + batch.size > this.#options.maxRequestSize)) {
          this.#send(connection, requests.get(connection)!);
          requests.delete(connection);
          sizes.delete(connection);
          if (this.#isSaturated(connection)) break;
        }
        queue.take(this.#producer);
        requests.set(connection, [...(requests.get(connection) ?? []), batch]);
        sizes.set(connection, (sizes.get(connection) ?? 0) + batch.size);
      }
      if (queue.queued.length === 0) this.#busy.delete(queue);
    }
    for (const [connection, batches] of requests) this.#send(connection, batches);
  }

  /** Full, old enough, or wanted now. Otherwise a timer is set. */
  #isDue(queue: PartitionQueue, batch: ProducerBatch, nowMs: number): boolean {
    if (batch.attempts > 0) return this.#isReached(batch.retryAtMs, nowMs);
    const isFull = queue.queued.length > 1 || batch.size >= this.#options.batchSize;
    if (isFull || this.#flushing > 0 || this.#owner.isShortOfRoom()) return true;
    return this.#isReached(batch.createdMs + this.#options.lingerMs, nowMs);
  }

  #isReached(atMs: number, nowMs: number): boolean {
    if (atMs > nowMs) this.#wakeAt(atMs);
    return atMs <= nowMs;
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }

  /** What waited longer than the delivery timeout fails. */
  #expire(queue: PartitionQueue, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#options;
    for (const batch of [...queue.queued]) {
      if (batch.createdMs + deliveryTimeoutMs > nowMs) {
        this.#wakeAt(batch.createdMs + deliveryTimeoutMs);
        continue;
      }
      const where = partitionKey(queue.topic, queue.partition);
      const reason = `Expiring ${batch.count} record(s) for ${where}:${Math.round(nowMs - batch.createdMs)} ms has passed since batch creation`;
      queue.queued.splice(queue.queued.indexOf(batch), 1);
      this.#failForGood(batch, timedOut(reason));
    }
  }

  /** An open connection to the partition's leader with room for a request; otherwise what is missing is begun. */
  #connectionFor(queue: PartitionQueue): BrokerConnection | undefined {
    const leader = this.#cluster.leaderOf(queue.topic, queue.partition);
    if (leader < 0) {
      this.refreshMetadata();
      return undefined;
    }
    const { enableIdempotence, transactions } = this.#options;
    if (transactions !== undefined) {
      if (!transactions.covers(queue.topic, queue.partition)) {
        transactions.want(queue.topic, queue.partition);
        return undefined;
      }
    } else if (enableIdempotence && this.#identity.current === undefined) {
      this.#identity.ask(
        (error) => this.#failAll(error),
        () => this.#pump(),
      );
      return undefined;
    }
    const connection = this.#cluster.connected(leader);
    if (connection?.isOpen !== true) {
      this.#connect(leader);
      return undefined;
    }
    connection.onDrained(this.#drained);
    return this.#isSaturated(connection) ? undefined : connection;
  }

  /** `drained` or an answer pumps again. */
  #isSaturated(connection: BrokerConnection): boolean {
    return !connection.isWritable || (this.#inFlight.get(connection) ?? 0) >= this.#options.maxInFlight;
  }

  #connect(node: number): void {
    if (this.#connecting.has(node)) return;
    this.#connecting.add(node);
    this.#cluster.connect(node).then(
      () => {
        this.#connecting.delete(node);
        this.#pump();
      },
      () => {
        this.#connecting.delete(node);
        if (!this.#closed) this.refreshMetadata(); // which pumps, and so tries again
      },
    );
  }

  #send(connection: BrokerConnection, batches: readonly ProducerBatch[]): void {
    const { acks, codec, compressionLevel, transactions } = this.#options;
    const topicData = topicDataOf(batches, (batch) => {
      const { producer } = this.#queueOf(batch.topic, batch.partition);
      return batch.bytes(codec, compressionLevel, producer, transactions !== undefined);
    });
    const transactionalId = transactions?.transactionalId ?? null;
    const request = { transactionalId, acks, timeoutMs: this.#cluster.requestTimeoutMs, topicData };
    if (acks === 0) {
      this.#tell(connection, request, batches);
      return;
    }
    this.#inFlight.set(connection, (this.#inFlight.get(connection) ?? 0) + 1);
    connection
      .request(ProduceRequest, ProduceResponse, request)
      .then(
        (response) => this.#answered(batches, response),
        (error: unknown) => {
          for (const batch of batches) this.#failed(batch, error);
        },
      )
      .finally(() => {
        const left = (this.#inFlight.get(connection) ?? 1) - 1;
        if (left > 0) this.#inFlight.set(connection, left);
        else this.#inFlight.delete(connection);
        if (this.#closed) return;
        this.#owner.freed();
        this.#pump();
      });
  }

  /** acks 0: sent is done. */
  #tell(connection: BrokerConnection, request: Partial<ProduceRequest>, batches: readonly ProducerBatch[]): void {
    let failure: unknown;
    try {
      connection.tell(ProduceRequest, request);
    } catch (error) {
      failure = error;
    }
    for (const batch of batches) {
      this.#queueOf(batch.topic, batch.partition).settle(batch);
      this.#finish(batch, () => (failure === undefined ? batch.succeed(-1, -1) : batch.fail(failure)));
    }
    this.#owner.freed();
  }

  #answered(batches: readonly ProducerBatch[], response: ProduceResponse): void {
    const answers = answersOf(response);
    for (const batch of batches) {
      const answer = answers.get(partitionKey(batch.topic, batch.partition));
      if (answer === undefined) this.#failed(batch, new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR));
      else if (answer.errorCode === ErrorCode.NONE) this.#succeeded(batch, answer.baseOffset, answer.logAppendTimeMs);
      // An earlier attempt arrived, and the broker no longer knows where.
      else if (answer.errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) this.#succeeded(batch, -1, -1);
      else if (answer.recordErrors.length > 0) this.#refused(batch, answer);
      else this.#failed(batch, errorOf(answer.errorCode, answer.errorMessage));
    }
  }

  /** Some records are wrong, and the batch is lost with them (KIP-467). */
  #refused(batch: ProducerBatch, answer: PartitionAnswer): void {
    const queue = this.#queueOf(batch.topic, batch.partition);
    queue.settle(batch);
    queue.closeGap(batch);
    this.#finish(batch, () => batch.fail(undefined, recordErrorsOf(answer)));
    this.#options.transactions?.batchFailed(errorOf(answer.errorCode, answer.errorMessage), true);
  }

  #succeeded(batch: ProducerBatch, baseOffset: number, appendTimeMs: number): void {
    this.#queueOf(batch.topic, batch.partition).settle(batch);
    this.#finish(batch, () => batch.succeed(baseOffset, appendTimeMs));
  }

  #failed(batch: ProducerBatch, error: unknown): void {
    if (this.#closed) return;
    const queue = this.#queueOf(batch.topic, batch.partition);
    queue.settle(batch);
    const code = codeOf(error);
    if (code === ErrorCode.MESSAGE_TOO_LARGE && batch.count > 1) {
      this.#split(queue, batch);
    } else if (this.#mayRetry(queue, batch, error)) {
      batch.retryAtMs = this.#clock.monotonicMs() + this.#cluster.backoffMs(batch.attempts - 1);
      this.#runtime.log.warn(
        `Got error produce response on topic-partition ${partitionKey(batch.topic, batch.partition)}, retrying. Error: ${(error as KafkaError).name}`,
      );
      queue.requeue(batch);
      this.#busy.add(queue);
      if (isRetriable(error)) this.refreshMetadata();
    } else {
      queue.closeGap(batch);
      this.#failForGood(batch, error);
    }
  }

  #failForGood(batch: ProducerBatch, error: unknown): void {
    this.#finish(batch, () => batch.fail(error));
    this.#options.transactions?.batchFailed(error, batch.attempts > 0);
  }

  #split(queue: PartitionQueue, batch: ProducerBatch): void {
    const halves = batch.split();
    this.#unfinished.delete(batch);
    for (const half of halves) this.#unfinished.add(half);
    queue.requeue(...halves);
    this.#busy.add(queue);
  }

  #mayRetry(queue: PartitionQueue, batch: ProducerBatch, error: unknown): boolean {
    if (batch.attempts > this.#options.retries) return false;
    if (this.#clock.monotonicMs() >= batch.createdMs + this.#options.deliveryTimeoutMs) return false;
    const { transactions } = this.#options;
    if (transactions?.mayGoOn === false) return false;
    if (isRetriable(error)) return true;
    const code = codeOf(error);
    const isOfSequence =
      code === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
      code === ErrorCode.UNKNOWN_PRODUCER_ID ||
      code === ErrorCode.INVALID_PRODUCER_EPOCH;
    // A transaction with a gap is not to be committed; its coordinator raises the epoch when it was aborted.
    if (transactions !== undefined) return isOfSequence && !queue.isFirstOutstanding(batch);
    if (!isOfSequence || this.#identity.current === undefined) return false;
    // What went before it failed or is retried, so this one could not fit. If nothing did, the broker's memory of us is gone.
    if (queue.isFirstOutstanding(batch)) this.#identity.raiseEpoch(queue, batch);
    return true;
  }

  #finish(batch: ProducerBatch, settle: () => void): void {
    this.#unfinished.delete(batch);
    for (const record of batch.records) this.#bufferedBytes -= recordSizeUpperBound(record);
    settle();
  }

  /** What cannot pass concerns everything that is to be sent: no permission to have a producer id, no common version. */
  #failAll(error: unknown): void {
    if (this.#closed) return;
    this.abortQueued(error);
    this.#owner.failed(error);
  }
}

function isSamePartition(a: ProducerBatch, b: ProducerBatch): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}
