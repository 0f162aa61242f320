import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import type { Turns } from '../turns.ts';

/** Who leads a partition, as far as this broker knows: `none` for now, or a partition that it has never heard of. */
export type MarkerLeader =
  | { readonly kind: 'broker'; readonly id: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

/** The way of markers to the leaders of partitions. */
export interface MarkerTransport {
  leaderOf(topic: string, partition: number): MarkerLeader;
  /** Whether a partition that nobody knows has been deleted, for certain. Rejects while that cannot be found out. */
  isGone(topic: string, partition: number): Promise<boolean>;
  /** Rejects when the broker did not answer. */
  write(broker: number, markers: WriteTxnMarkersRequest['markers']): Promise<WriteTxnMarkersResponse>;
}

/** One transaction whose end its partitions have to hear. */
export interface MarkerJob {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
  /** `transaction.version` that its client spoke. */
  readonly transactionVersion: number;
  /** This broker no longer coordinates it. */
  isCancelled(): boolean;
  /** The partition has its marker, or needs none. */
  partitionDone(topic: string, partition: number): void;
}

/** A marker that one partition lacks. */
interface Missing {
  readonly job: MarkerJob;
  readonly topic: string;
  readonly partition: number;
}

export interface MarkerSenderOptions {
  readonly transport: MarkerTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: Turns;
}

/** Before a marker that did not arrive is sent again. */
const RETRY_PAUSE_MS = 100;
/** Markers of one request. */
const MARKERS_MAX = 5000;

/**
 * Brings the ends of transactions to the leaders of their partitions, and tries until each has one: a leader changes, a broker is
 * away, a partition is deleted (`TransactionMarkerChannelManager`). One request is under way to each broker; what arrives
 * meanwhile goes with the next.
 */
export class MarkerSender {
  readonly #options: MarkerSenderOptions;
  readonly #queues = new Map<number, Missing[]>();
  readonly #busy = new Set<number>();
  #later: Missing[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: MarkerSenderOptions) {
    this.#options = options;
  }

  send(job: MarkerJob, partitions: Iterable<{ readonly topic: string; readonly partition: number }>): void {
    this.#route([...partitions].map(({ topic, partition }) => ({ job, topic, partition })));
  }

  /** Markers that go nowhere at the moment. */
  get homelessCount(): number {
    return this.#later.length;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#queues.clear();
  }

  #route(all: readonly Missing[]): void {
    if (this.#isClosed) return;
    const brokers = new Set<number>();
    for (const missing of all) {
      if (missing.job.isCancelled()) continue;
      const leader = this.#options.transport.leaderOf(missing.topic, missing.partition);
      if (leader.kind === 'none') this.#retry([missing]);
      else if (leader.kind === 'unknown') this.#lookForPartition(missing);
      else {
        this.#queueOf(leader.id).push(missing);
        brokers.add(leader.id);
      }
    }
    for (const broker of brokers) this.#flush(broker);
  }

  #queueOf(broker: number): Missing[] {
    let queue = this.#queues.get(broker);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(broker, queue);
    }
    return queue;
  }

  /** A broker that has just started may not have heard of a partition that is there: only a deleted one needs no marker. */
  #lookForPartition(missing: Missing): void {
    const { transport, turns, log } = this.#options;
    const { job, topic, partition } = missing;
    transport.isGone(topic, partition).then(
      (isGone) =>
        turns.run(() => {
          if (!isGone) return this.#retry([missing]);
          log.info('a partition of a transaction was deleted', {
            transactionalId: job.transactionalId,
            topic,
            partition,
          });
          this.#done(missing);
        }),
      () => turns.run(() => this.#retry([missing])),
    );
  }

  #flush(broker: number): void {
    const queue = this.#queueOf(broker);
    if (this.#busy.has(broker) || this.#isClosed || queue.length === 0) return;
    const sent = queue.splice(0, MARKERS_MAX).filter(({ job }) => !job.isCancelled());
    if (sent.length === 0) return this.#flush(broker);
    this.#busy.add(broker);
    const { transport, turns } = this.#options;
    const settle = (work: () => void): void =>
      turns.run(() => {
        this.#busy.delete(broker);
        if (this.#isClosed) return;
        work();
        this.#flush(broker);
      });
    transport.write(broker, markersOf(sent)).then(
      (response) => settle(() => this.#answered(sent, response)),
      () => settle(() => this.#retry(sent)),
    );
  }

  #answered(sent: readonly Missing[], response: WriteTxnMarkersResponse): void {
    const errors = errorsOf(response);
    for (const missing of sent) {
      const { job, topic, partition } = missing;
      const errorCode = errors.get(keyOf(job.producerId, topic, partition));
      if (errorCode !== undefined && isSettled(errorCode)) this.#done(missing);
      else if (isFenced(errorCode)) this.#warn('a later epoch ends the sending of markers', missing, errorCode);
      else {
        if (errorCode === undefined || !isExpected(errorCode)) {
          this.#warn('a marker was refused; trying again', missing, errorCode);
        }
        this.#retry([missing]);
      }
    }
  }

  #done({ job, topic, partition }: Missing): void {
    if (!job.isCancelled()) job.partitionDone(topic, partition);
  }

  #warn(what: string, { job, topic, partition }: Missing, errorCode: number | undefined): void {
    this.#options.log.warn(what, { transactionalId: job.transactionalId, topic, partition, errorCode });
  }

  #retry(missing: readonly Missing[]): void {
    if (this.#isClosed) return;
    this.#later.push(...missing);
    this.#timer ??= this.#options.clock.after(RETRY_PAUSE_MS, () => {
      this.#timer = undefined;
      const due = this.#later;
      this.#later = [];
      this.#options.turns.run(() => this.#route(due));
    });
  }
}

/** The partitions of each transaction together. */
function markersOf(sent: readonly Missing[]): WriteTxnMarkersRequest['markers'] {
  const byJob = new Map<MarkerJob, Map<string, number[]>>();
  for (const { job, topic, partition } of sent) {
    let topics = byJob.get(job);
    if (topics === undefined) {
      topics = new Map();
      byJob.set(job, topics);
    }
    const indexes = topics.get(topic);
    if (indexes === undefined) topics.set(topic, [partition]);
    else indexes.push(partition);
  }
  return [...byJob].map(([job, topics]) => ({
    producerId: job.producerId,
    producerEpoch: job.producerEpoch,
    transactionResult: job.committed,
    topics: [...topics].map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
    coordinatorEpoch: job.coordinatorEpoch,
    transactionVersion: job.transactionVersion,
  }));
}

const keyOf = (producerId: number, topic: string, partition: number): string => `${producerId} ${partition} ${topic}`;

function errorsOf({ markers }: WriteTxnMarkersResponse): ReadonlyMap<string, number> {
  const errors = new Map<string, number>();
  for (const { producerId, topics } of markers) {
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        errors.set(keyOf(producerId, name, partitionIndex), errorCode);
      }
    }
  }
  return errors;
}

/** A log whose format knows no transactions cannot hold records of one. */
function isSettled(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.NONE ||
    errorCode === ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT ||
    errorCode === ErrorCode.UNSUPPORTED_VERSION
  );
}

/** Another coordinator, or a later epoch of the producer, has been there: this end is no longer ours to tell. */
function isFenced(errorCode: number | undefined): boolean {
  return errorCode === ErrorCode.INVALID_PRODUCER_EPOCH || errorCode === ErrorCode.TRANSACTION_COORDINATOR_FENCED;
}

function isExpected(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER ||
    errorCode === ErrorCode.NOT_ENOUGH_REPLICAS ||
    errorCode === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND ||
    errorCode === ErrorCode.REQUEST_TIMED_OUT ||
    errorCode === ErrorCode.KAFKA_STORAGE_ERROR ||
    errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  );
}
