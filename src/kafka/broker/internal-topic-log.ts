import { noSlices } from '../../base/slices.ts';
import type { Clock } from '../../runtime/clock.ts';
import type {
  BatchProducer,
  CoordinatorRecord,
  EndTxnMarker,
  LogRange,
  LogSlice,
  TransactionalLog,
} from '../coordinator/coordinator-log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type CodecName, NO_PRODUCER_ID } from '../records/batch.ts';
import { type BatchOptions, buildBatch } from '../records/builder.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import { appendMarker } from './txn-markers.ts';

export interface InternalTopicLogOptions {
  readonly topic: string;
  /** How many partitions the topic will get, while it does not exist. */
  readonly partitionCount: number;
  /** How its batches are compressed. */
  readonly codec: CodecName;
  readonly clock: Clock;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
}

/** The partitions of an internal topic as its coordinator reads and writes them, over this broker's replicas. */
export class InternalTopicLog implements TransactionalLog {
  readonly #options: InternalTopicLogOptions;

  constructor(options: InternalTopicLogOptions) {
    this.#options = options;
  }

  partitionCount(): number {
    const { metadata, topic, partitionCount } = this.#options;
    return metadata.topic(topic)?.partitions.size ?? partitionCount;
  }

  append(
    partition: number,
    records: readonly CoordinatorRecord[],
    done: (errorCode: number) => void,
    producer?: BatchProducer,
  ): void {
    const { replicas, topic, clock, codec } = this.#options;
    const replica = replicas.partition(topic, partition);
    if (replica === undefined) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const nowMs = clock.wallMs();
    const batch = buildBatch({
      records: records.map(({ key, value }) => ({ timestamp: nowMs, key, value, headers: [] })),
      codec,
      ...(producer === undefined ? {} : fieldsOf(producer)),
    });
    replica.append({
      records: batch,
      acks: -1,
      origin: 'coordinator',
      rules: { verification: producer?.verification },
      nowMs,
      done: ({ errorCode }) => done(errorCode),
    });
  }

  appendMarker(partition: number, marker: EndTxnMarker, done: (errorCode: number) => void): void {
    const { replicas, topic, clock } = this.#options;
    const replica = replicas.partition(topic, partition);
    if (replica === undefined) done(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    else appendMarker(replica, marker, clock.wallMs(), done);
  }

  range(partition: number): LogRange | undefined {
    const replica = this.#options.replicas.partition(this.#options.topic, partition);
    if (replica?.log === undefined || !replica.isLeader) return undefined;
    return { startOffset: replica.log.logStartOffset, endOffset: replica.log.logEndOffset };
  }

  /** Nothing below the offset is needed any more; does nothing where this broker does not lead. */
  deleteRecords(partition: number, beforeOffset: number): void {
    const replica = this.#options.replicas.partition(this.#options.topic, partition);
    if (replica?.log === undefined || !replica.isLeader) return;
    replica.log.deleteRecords(Math.min(beforeOffset, replica.log.highWatermark));
  }

  read(partition: number, offset: number, bytesMax: number, done: (slice: LogSlice) => void): void {
    const failed = (error: unknown): void => {
      if (!(error instanceof KafkaError)) throw error;
      done({ errorCode: error.code, batches: noSlices });
    };
    try {
      const replica = this.#options.replicas.partition(this.#options.topic, partition);
      if (replica === undefined) return done({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, batches: noSlices });
      const log = replica.leaderLog();
      const read = log.read(offset, { maxBytes: bytesMax, minOneMessage: true, upTo: log.logEndOffset });
      if (read.kind === 'memory') return done({ errorCode: ErrorCode.NONE, batches: read.records });
      read.load(Buffer.allocUnsafe(read.sizeInBytes), (error, batches) =>
        error === undefined ? done({ errorCode: ErrorCode.NONE, batches }) : failed(error),
      );
    } catch (error) {
      failed(error);
    }
  }
}

function fieldsOf({ producerId, producerEpoch }: BatchProducer): BatchOptions {
  return { producerId, producerEpoch, baseSequence: 0, isTransactional: producerId !== NO_PRODUCER_ID };
}
