import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { codeOf } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import type { TopicPartition } from './cluster-metadata.ts';
import type { GroupMembership } from './group-membership.ts';
import { type CommittedOffset, commitOffsets, fetchOffsets } from './offsets.ts';

export interface OffsetCommitsOptions {
  readonly groupId: string;
  readonly isAutomatic: boolean;
  readonly autoCommitIntervalMs: number;
}

/** A group's offsets: read and written at its coordinator, by order or by the clock. */
export class OffsetCommits {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #membership: GroupMembership;
  readonly #options: OffsetCommitsOptions;
  readonly #positions: () => CommittedOffset[];
  #dueMs = 0;
  #committing: Promise<void> | undefined;
  #closed = false;

  constructor(
    runtime: { readonly clock: Clock; readonly log: Log },
    cluster: Cluster,
    membership: GroupMembership,
    options: OffsetCommitsOptions,
    positions: () => CommittedOffset[],
  ) {
    this.#clock = runtime.clock;
    this.#log = runtime.log;
    this.#cluster = cluster;
    this.#membership = membership;
    this.#options = options;
    this.#positions = positions;
  }

  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#cluster.retrying(async () => {
      try {
        const node = await this.#membership.coordinator();
        return await fetchOffsets(this.#cluster, node, this.#options.groupId, partitions);
      } catch (error) {
        this.#membership.coordinatorFailed(error);
        throw error;
      }
    });
  }

  async commit(offsets: readonly CommittedOffset[] = this.#positions()): Promise<void> {
    if (offsets.length === 0) return;
    const membership = this.#membership;
    await this.#cluster.retrying(async () => {
      try {
        const node = await membership.coordinator();
        const results = await commitOffsets(this.#cluster, node, membership.committer, offsets);
        for (const { error } of results) if (error !== undefined) throw error;
      } catch (error) {
        const code = codeOf(error);
        membership.coordinatorFailed(error);
        if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) membership.generationLost();
        throw error;
      }
    });
  }

  /** The interval begins anew: what is read now was just taken over. */
  postpone(): void {
    this.#dueMs = this.#clock.monotonicMs() + this.#options.autoCommitIntervalMs;
  }

  /** At the start of a poll: all that earlier polls gave is done. */
  commitIfDue(): void {
    const isDue = this.#options.isAutomatic && this.#clock.monotonicMs() >= this.#dueMs;
    if (!isDue || this.#committing !== undefined) return;
    this.postpone();
    this.#committing = this.commitAutomatically().finally(() => {
      this.#committing = undefined;
    });
  }

  /** Where commits are automatic; a failure is only logged. */
  async commitAutomatically(): Promise<void> {
    if (!this.#options.isAutomatic) return;
    try {
      await this.commit();
    } catch (error) {
      if (!this.#closed) this.#log.warn('the automatic commit failed', { error: (error as Error).message });
    }
  }

  /** The consumer is being closed: a last commit may fail unheard. */
  close(): void {
    this.#closed = true;
  }
}
