import type { Log } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { Turns } from './turns.ts';

/** One partition of an internal topic, as long as this broker leads it. */
export interface CoordinatedPartition {
  /** What requests are told; 0 once loaded. */
  readonly errorCode: number;
  load(): void;
  /** Another broker leads now, or this one ends. */
  close(): void;
}

export interface CoordinatedPartitionsOptions<P extends CoordinatedPartition> {
  readonly log: Log;
  readonly turns: Turns;
  /** What this broker is elected as, for people who read the log: `group coordinator`. */
  readonly role: string;
  readonly newPartition: (partition: number, leaderEpoch: number) => P;
  /** Whether what is led already goes on under a later epoch. Default: where it works, or loads. */
  readonly goesOn?: (current: P, leaderEpoch: number) => boolean;
}

/** The partitions of an internal topic that this broker leads: each is loaded when it is elected, and given up when it resigns. */
export class CoordinatedPartitions<P extends CoordinatedPartition> {
  readonly #options: CoordinatedPartitionsOptions<P>;
  readonly #partitions = new Map<number, P>();
  #isClosed = false;

  constructor(options: CoordinatedPartitionsOptions<P>) {
    this.#options = options;
  }

  /** This broker coordinates nothing any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get(partition: number): P | undefined {
    return this.#partitions.get(partition);
  }

  values(): IterableIterator<P> {
    return this.#partitions.values();
  }

  /** This broker leads the partition now, or still. */
  onElected(partition: number, leaderEpoch: number): void {
    const { turns, log, role, newPartition, goesOn = isServing } = this.#options;
    turns.run(() => {
      const current = this.#partitions.get(partition);
      if (this.#isClosed || (current !== undefined && goesOn(current, leaderEpoch))) return;
      log.info(`elected as ${role}`, { partition, leaderEpoch });
      current?.close();
      const elected = newPartition(partition, leaderEpoch);
      this.#partitions.set(partition, elected);
      elected.load();
    });
  }

  /** Another broker leads the partition, or none. */
  onResigned(partition: number): void {
    const { turns, log, role } = this.#options;
    turns.run(() => {
      const current = this.#partitions.get(partition);
      if (current === undefined) return;
      log.info(`resigned as ${role}`, { partition });
      this.#partitions.delete(partition);
      current.close();
    });
  }

  /** Nothing is led any more, nor ever again. */
  close(): void {
    this.#isClosed = true;
    this.#options.turns.run(() => {
      for (const partition of this.#partitions.values()) partition.close();
      this.#partitions.clear();
    });
  }
}

function isServing({ errorCode }: CoordinatedPartition): boolean {
  return errorCode === ErrorCode.NONE || errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
}
