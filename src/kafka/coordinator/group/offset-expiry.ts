import type { Timer } from '../../../runtime/clock.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import { decideForget, expiredOffsets } from './clean-up.ts';
import type { GroupHost } from './group-host.ts';
import type { GroupPartition } from './group-partition.ts';
import { expiredOwnedOffsets, forgetOwnedOffsets } from './offset-owner.ts';

/** Groups that are looked at in one slice of the search for expired offsets. */
const GROUPS_PER_SLICE = 200;

/** Forgets committed offsets that nobody will ask for: those that have expired, and those of topics that are gone. */
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
  forgetTopics(topics: ReadonlySet<string>): void {
    for (const partition of this.#host.partitions()) {
      if (partition.errorCode !== ErrorCode.NONE) continue;
      for (const group of [...partition.groups.values()]) this.#forgetTopics(partition, group, topics);
      for (const id of ownerIds(partition)) this.#forgetOwned(id, topics);
    }
  }

  #forgetTopics(partition: GroupPartition, group: ClassicGroup, topics: ReadonlySet<string>): void {
    if (group.state === 'Dead') return;
    const inFlight = partition.inFlight(group.id);
    const offsets = [
      ...partition.state.offsets(group.id),
      ...partition.state.pendingOffsets(group.id),
      ...inFlight.offsets,
    ];
    const gone = offsets.filter(({ topic }) => topics.has(topic));
    if (gone.length === 0) return;
    partition.forget(group, decideForget(group, partition.state, inFlight, gone), (errorCode) =>
      this.#warnOf(errorCode, group.id),
    );
  }

  #forgetOwned(groupId: string, topics: ReadonlySet<string>): void {
    this.#host.onGroup(groupId, (partition) => {
      const owner = partition?.offsetOwner(groupId);
      if (partition === undefined || owner === undefined) return;
      const gone = [...partition.state.offsets(groupId)].filter(({ topic }) => topics.has(topic));
      const records = forgetOwnedOffsets(owner, partition.state, partition.inFlight(groupId), gone);
      if (gone.length > 0) partition.appendAlone(groupId, records, (errorCode) => this.#warnOf(errorCode, groupId));
    });
  }

  #expireAll(): void {
    if (this.#isClosed) return;
    for (const partition of this.#host.partitions()) {
      for (const id of ownerIds(partition)) this.#expireOwned(id);
    }
    this.#expireIn(this.#allGroups());
  }

  #expireIn(groups: Iterator<{ partition: GroupPartition; group: ClassicGroup }>): void {
    if (this.#isClosed) return;
    for (let count = 0; count < GROUPS_PER_SLICE; count += 1) {
      const next = groups.next();
      if (next.done === true) {
        this.start();
        return;
      }
      this.#expire(next.value.partition, next.value.group);
    }
    this.#host.options.clock.soon(() => this.#host.turns.run(() => this.#expireIn(groups)));
  }

  *#allGroups(): Iterator<{ partition: GroupPartition; group: ClassicGroup }> {
    for (const partition of [...this.#host.partitions()]) {
      for (const group of [...partition.groups.values()]) yield { partition, group };
    }
  }

  #expire(partition: GroupPartition, group: ClassicGroup): void {
    const isCurrent = partition.errorCode === ErrorCode.NONE && partition.groups.get(group.id) === group;
    if (!isCurrent || group.state === 'Dead') return;
    const inFlight = partition.inFlight(group.id);
    const times = {
      nowMs: this.#host.options.clock.wallMs(),
      retentionMs: this.#host.options.config.offsetsRetentionMs,
    };
    const expired = expiredOffsets(group, partition.state, inFlight, times);
    const decision = decideForget(group, partition.state, inFlight, expired);
    if (decision.records.length === 0 && !decision.isGone) return;
    partition.forget(group, decision, (errorCode) => this.#warnOf(errorCode, group.id));
  }

  #expireOwned(groupId: string): void {
    this.#host.onGroup(groupId, (partition) => {
      const owner = partition?.offsetOwner(groupId);
      if (partition === undefined || owner === undefined) return;
      const inFlight = partition.inFlight(groupId);
      const times = {
        nowMs: this.#host.options.clock.wallMs(),
        retentionMs: this.#host.options.config.offsetsRetentionMs,
      };
      const expired = expiredOwnedOffsets(owner, partition.state, inFlight, times);
      const records = forgetOwnedOffsets(owner, partition.state, inFlight, expired);
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
