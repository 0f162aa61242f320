import { build } from '../../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import {
  type WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../../protocol/messages/27-write-txn-markers.ts';
import type { MarkerLeader, MarkerTransport } from '../marker-sender.ts';

type Markers = WriteTxnMarkersRequest['markers'];

/** One marker that a partition got. */
export interface Marked {
  readonly topic: string;
  readonly partition: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
}

/** The leaders of all partitions, as a test wants them: by default one broker that takes every marker at once. */
export class MarkerLeaders implements MarkerTransport {
  readonly marked: Marked[] = [];
  /** Every request, in order. */
  readonly requests: { readonly broker: number; readonly markers: Markers }[] = [];
  /** By `topic-partition`; broker 0 where nothing is said. */
  readonly leaders = new Map<string, MarkerLeader>();
  readonly gone = new Set<string>();
  /** What the next markers of a partition meet, by `topic-partition`. */
  readonly failures = new Map<string, number[]>();
  /** Requests wait for `release`. */
  isHeld = false;
  /** Requests are lost. */
  isCut = false;
  /** Answers are lost. */
  isDeaf = false;
  /** What a partition says to a marker, where no failure is planned. */
  judge: (marker: Marked) => number = () => ErrorCode.NONE;
  readonly #held: (() => void)[] = [];

  leaderOf(topic: string, partition: number): MarkerLeader {
    return this.leaders.get(`${topic}-${partition}`) ?? { kind: 'broker', id: 0 };
  }

  isGone(topic: string, partition: number): Promise<boolean> {
    if (this.isCut) return Promise.reject(new KafkaError(ErrorCode.BROKER_NOT_AVAILABLE));
    return Promise.resolve(this.gone.has(`${topic}-${partition}`));
  }

  write(broker: number, markers: Markers): Promise<WriteTxnMarkersResponse> {
    this.requests.push({ broker, markers });
    if (this.isCut) return Promise.reject(new KafkaError(ErrorCode.NETWORK_EXCEPTION));
    if (!this.isHeld) {
      const answer = this.#take(markers);
      return this.isDeaf ? Promise.reject(new KafkaError(ErrorCode.NETWORK_EXCEPTION)) : Promise.resolve(answer);
    }
    return new Promise((resolve) => this.#held.push(() => resolve(this.#take(markers))));
  }

  get heldCount(): number {
    return this.#held.length;
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #take(markers: Markers): WriteTxnMarkersResponse {
    return build(WriteTxnMarkersResponse, {
      markers: markers.map(({ producerId, topics, ...marker }) => ({
        producerId,
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => {
            const { producerEpoch, transactionResult: committed, coordinatorEpoch } = marker;
            const where = { topic: name, partition: partitionIndex };
            const marked = { ...where, producerId, producerEpoch, committed, coordinatorEpoch };
            const errorCode = this.failures.get(`${name}-${partitionIndex}`)?.shift() ?? this.judge(marked);
            if (errorCode === ErrorCode.NONE) this.marked.push(marked);
            return { partitionIndex, errorCode };
          }),
        })),
      })),
    });
  }
}
