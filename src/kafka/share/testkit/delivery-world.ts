import { silent } from '../../../runtime/log.ts';
import { KEY, ShareWorld } from '../../coordinator/share/testkit/share-world.ts';
import type { KafkaError } from '../../protocol/errors.ts';
import type { Partition } from '../../replication/partition.ts';
import type { AcquiredRecords } from '../acquire.ts';
import type { ShareGroupConfig } from '../share-group-config.ts';
import { SharePartition } from '../share-partition.ts';
import type { SharePersister } from '../share-persister.ts';

export const LOCK_MS = 1000;
export const DELIVERIES_MAX = 4;
export const IN_FLIGHT_MAX = 40;

export interface Fetching {
  readonly maxRecords?: number;
  readonly batchSize?: number;
  readonly isStrict?: boolean;
  /** Batches of the log that one read brings. */
  readonly batches?: number;
}

/** A share partition on its leader over a log of batches, and its coordinator, in virtual time. */
export class DeliveryWorld {
  readonly shares = new ShareWorld();
  readonly #batches: { readonly baseOffset: number; readonly lastOffset: number }[] = [];
  readonly #config: ShareGroupConfig;
  share: SharePartition;
  progressCount = 0;
  #leaderEpoch = 0;

  /** @param sizes records of each batch of the log */
  constructor(sizes: readonly number[], config: Partial<ShareGroupConfig> = {}) {
    this.#config = {
      recordLockDurationMs: LOCK_MS,
      deliveryCountMax: DELIVERIES_MAX,
      inFlightMax: IN_FLIGHT_MAX,
      offsetReset: 'earliest',
      isolation: 'high-watermark',
      isRenewEnabled: true,
      ...config,
    };
    let next = 0;
    for (const size of sizes) {
      this.#batches.push({ baseOffset: next, lastOffset: next + size - 1 });
      next += size;
    }
    this.shares.initialize();
    this.share = this.#open();
  }

  get endOffset(): number {
    return (this.#batches.at(-1)?.lastOffset ?? -1) + 1;
  }

  get nowMs(): number {
    return this.shares.clock.monotonicMs();
  }

  #open(): SharePartition {
    this.#leaderEpoch += 1;
    const persister: SharePersister = {
      read: (key, leaderEpoch, done) => this.shares.coordinator.read(key, leaderEpoch, done),
      write: (key, state, done) =>
        this.shares.coordinator.write(key, state, ({ errorCode, errorMessage }) => done(errorCode, errorMessage)),
    };
    const share = new SharePartition({
      key: KEY,
      partition: { leaderEpoch: this.#leaderEpoch } as Partition,
      clock: this.shares.clock,
      log: silent,
      persister,
      config: () => this.#config,
      onProgress: () => {
        this.progressCount += 1;
      },
      onFenced: () => undefined,
    });
    share.open(() => undefined);
    return share;
  }

  /** Leader and coordinator are killed: others find what is in the state topic. */
  crash(): void {
    this.share.fence();
    this.shares.restart();
    this.share = this.#open();
  }

  /** Never ends between the end of an acquisition and what comes of it. */
  run(ms: number): void {
    this.shares.run(ms);
    this.shares.settle();
  }

  fetch(memberId: string, fetching: Fetching = {}): readonly AcquiredRecords[] {
    if (!this.share.mayAcquire) return [];
    const fetchOffset = this.share.records.nextFetchOffset;
    const read = this.#batches.filter(({ lastOffset }) => lastOffset >= fetchOffset).slice(0, fetching.batches ?? 100);
    return this.share.acquire({
      memberId,
      fetchOffset,
      batches: read,
      maxRecords: fetching.maxRecords ?? 500,
      batchSize: fetching.batchSize ?? 500,
      isStrict: fetching.isStrict ?? false,
      hidden: [],
    });
  }

  acknowledge(memberId: string, firstOffset: number, lastOffset: number, types: readonly number[]): Acknowledging {
    const answer: Acknowledging = { isAnswered: false, error: undefined };
    this.share.acknowledge(memberId, [{ firstOffset, lastOffset, acknowledgeTypes: types }], (error) => {
      answer.isAnswered = true;
      answer.error = error;
    });
    return answer;
  }
}

export interface Acknowledging {
  isAnswered: boolean;
  error: KafkaError | undefined;
}
