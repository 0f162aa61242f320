import type { Log } from '../../runtime/log.ts';
import { NoOffsetForPartitionError } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey, type TopicPartition } from './cluster-metadata.ts';
import type { FetchState } from './fetcher.ts';
import { type CommittedOffset, EARLIEST, type IsolationLevel, LATEST, listOffsets } from './offsets.ts';

export interface StartPositionsOptions {
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none';
  readonly isolation: IsolationLevel;
}

export interface StartPositionsOwner {
  states(): Iterable<FetchState>;
  /** Of the group; undefined without one. */
  readonly committed: ((partitions: readonly TopicPartition[]) => Promise<CommittedOffset[]>) | undefined;
  /** A look-up is over. */
  resolved(): void;
  failed(error: unknown): void;
}

/** Where reading begins, and begins again when the log has moved on. */
export class StartPositions {
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #options: StartPositionsOptions;
  readonly #owner: StartPositionsOwner;
  #resolving: Promise<void> | undefined;

  constructor(log: Log, cluster: Cluster, options: StartPositionsOptions, owner: StartPositionsOwner) {
    this.#log = log;
    this.#cluster = cluster;
    this.#options = options;
    this.#owner = owner;
  }

  /** Looks up where to begin: what the group committed, else what the policy says. */
  resolve(): void {
    if (this.#resolving !== undefined) return;
    const unknown = [...this.#owner.states()].filter(({ position }) => position === undefined);
    if (unknown.length === 0) return;
    const seekCounts = unknown.map(({ seekCount }) => seekCount);
    const isCurrent = (state: FetchState): boolean => state.seekCount === seekCounts[unknown.indexOf(state)];
    this.#resolving = this.#findPositions(unknown, isCurrent)
      .catch((error: unknown) => this.#owner.failed(error))
      .finally(() => {
        this.#resolving = undefined;
        this.#owner.resolved();
      });
  }

  async #findPositions(states: readonly FetchState[], isCurrent: (state: FetchState) => boolean): Promise<void> {
    let unknown = states;
    const never = states.filter(({ seekCount }) => seekCount === 0);
    const { committed } = this.#owner;
    if (committed !== undefined && never.length > 0) {
      for (const { topic, partition, offset } of await committed(never)) {
        const state = never.find((each) => each.topic === topic && each.partition === partition);
        if (state !== undefined && isCurrent(state)) state.seek(offset);
      }
      unknown = states.filter(({ position }) => position === undefined);
    }
    const { autoOffsetReset } = this.#options;
    const [first] = unknown;
    if (first === undefined) return;
    if (autoOffsetReset === 'none') throw new NoOffsetForPartitionError(first.topic, first.partition);
    const offsets = await this.offsetsAt(unknown, autoOffsetReset === 'earliest' ? EARLIEST : LATEST);
    for (const state of unknown) {
      const offset = offsets.get(partitionKey(state.topic, state.partition));
      if (offset !== undefined && isCurrent(state)) state.seek(offset);
    }
  }

  /** The log begins later or ends earlier than where we stand: the policy decides. */
  outOfRange(state: FetchState): void {
    if (state.fetched !== undefined) return;
    const where = partitionKey(state.topic, state.partition);
    this.#log.info(`Fetch position ${state.position} is out of range for partition ${where}, resetting offset`);
    if (this.#options.autoOffsetReset === 'none')
      this.#owner.failed(new NoOffsetForPartitionError(state.topic, state.partition));
    else state.seek(undefined);
  }

  /** By `partitionKey`. */
  async offsetsAt(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    const { isolation } = this.#options;
    const wanted = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }));
    const found = await listOffsets(this.#cluster, wanted, { isolation });
    for (const { error } of found) if (error !== undefined) throw error;
    return new Map(found.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  }
}
