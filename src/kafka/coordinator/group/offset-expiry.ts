import type { Timer } from '../../../runtime/clock.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type CleanUp, decideForget, expiredOffsets, type TopicPartition } from './clean-up.ts';
import type { GroupHost } from './group-host.ts';
import type { GroupPartition } from './group-partition.ts';
import { expiredOwnedOffsets, expireOwnedOffsets, forgetOwnedOffsets } from './offset-owner.ts';

/** Groups that are looked at in one slice of the search for expired offsets. */
const GROUPS_PER_SLICE = 200;

/** Forgets committed offsets that nobody will ask for: those that have expired, and those of partitions that are gone. */
export class OffsetExpiry {
  readonly #host: GroupHost;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(host: GroupHost) {
    this.#host = host;
  }

  /** Looks for expired offsets from time to time. */
  start(): void {
    const { clock, config } = this.#host.options;
    this.#timer = clock.after(config.retentionCheckIntervalMs, () => this.#host.turns.run(() => this.#expireAll()));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** In a turn of the coordinator. */
  forgetPartitions(partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(({ topic, partition }) => `${partition} ${topic}`));
    const isGone = ({ topic, partition }: TopicPartition): boolean => gone.has(`${partition} ${topic}`);
    for (const partition of this.#host.partitions()) {
      if (partition.errorCode !== ErrorCode.NONE) continue;
      for (const id of [...partition.groups.keys()]) this.#forgetGone(id, isGone);
      for (const id of ownerIds(partition)) this.#forgetOwned(id, isGone);
    }
  }

  #forgetGone(groupId: string, isGone: (one: TopicPartition) => boolean): void {
    this.#host.onGroup(groupId, (partition) => {
      const group = partition?.groups.get(groupId);
      if (partition === undefined || group === undefined || group.state === 'Dead') return;
      const { state } = partition;
      const inFlight = partition.inFlight(groupId);
      const offsets = [...state.offsets(groupId), ...state.pendingOffsets(groupId), ...inFlight.offsets];
      this.#forget(partition, group, decideForget(group, state, inFlight, offsets.filter(isGone)));
    });
  }

  #forgetOwned(groupId: string, isGone: (one: TopicPartition) => boolean): void {
    this.#host.onGroup(groupId, (partition) => {
      if (partition?.offsetOwner(groupId) === undefined) return;
      const offsets = [...partition.state.offsets(groupId), ...partition.state.pendingOffsets(groupId)];
      const records = forgetOwnedOffsets(groupId, offsets.filter(isGone));
      partition.appendAlone(groupId, records, (errorCode) => this.#warnOf(errorCode, groupId));
    });
  }

  #expireAll(): void {
    if (this.#isClosed) return;
    for (const partition of this.#host.partitions()) {
      for (const id of ownerIds(partition)) this.#expireOwned(id);
    }
    this.#expireIn(this.#allGroups());
  }

  #expireIn(groups: Iterator<string>): void {
    if (this.#isClosed) return;
    for (let count = 0; count < GROUPS_PER_SLICE; count += 1) {
      const next = groups.next();
      if (next.done === true) {
        this.start();
        return;
      }
      this.#expire(next.value);
    }
    this.#host.options.clock.soon(() => this.#host.turns.run(() => this.#expireIn(groups)));
  }

  *#allGroups(): Iterator<string> {
    for (const partition of [...this.#host.partitions()]) yield* [...partition.groups.keys()];
  }

  #expire(groupId: string): void {
    this.#host.onGroup(groupId, (partition) => {
      const group = partition?.groups.get(groupId);
      if (partition?.errorCode !== ErrorCode.NONE || group === undefined || group.state === 'Dead') return;
      const inFlight = partition.inFlight(groupId);
      const expired = expiredOffsets(group, partition.state, inFlight, this.#times());
      this.#forget(partition, group, decideForget(group, partition.state, inFlight, expired));
    });
  }

  #forget(partition: GroupPartition, group: ClassicGroup, decision: CleanUp): void {
    if (decision.records.length === 0 && !decision.isGone) return;
    partition.forget(group, decision, (errorCode) => this.#warnOf(errorCode, group.id));
  }

  #times(): { readonly nowMs: number; readonly retentionMs: number } {
    const { clock, config } = this.#host.options;
    return { nowMs: clock.wallMs(), retentionMs: config.offsetsRetentionMs };
  }

  #expireOwned(groupId: string): void {
    this.#host.onGroup(groupId, (partition) => {
      const owner = partition?.offsetOwner(groupId);
      if (partition === undefined || owner === undefined) return;
      const inFlight = partition.inFlight(groupId);
      const expired = expiredOwnedOffsets(owner, partition.state, inFlight, this.#times());
      const records = expireOwnedOffsets(owner, partition.state, inFlight, expired);
      partition.appendAlone(groupId, records, (errorCode) => this.#warnOf(errorCode, groupId));
    });
  }

  #warnOf(errorCode: number, group: string): void {
    if (errorCode !== ErrorCode.NONE)
      this.#host.options.log.warn('offsets could not be forgotten', { group, errorCode });
  }
}

function ownerIds({ state }: GroupPartition): string[] {
  return [...state.consumerGroups.keys(), ...state.streamsGroups.keys()];
}
