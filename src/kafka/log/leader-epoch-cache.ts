import type { Disk } from '../../runtime/disk.ts';
import { CheckpointWriter, encodeCheckpoint, integer, LEADER_EPOCH_FILE, parseCheckpoint } from './checkpoint-file.ts';

/** The first offset that a leader of this epoch wrote (KIP-101). */
export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

export interface EpochEndOffset {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

const UNDEFINED: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 };

/** Which leader wrote which offsets: ascending in both. */
export class LeaderEpochCache {
  #entries: EpochEntry[];
  readonly #changed: (from: number) => void;

  /** @param changed hears that the checkpoint holds something else for offsets at or above `from` */
  constructor(entries: readonly EpochEntry[], changed: (from: number) => void) {
    this.#entries = [...entries];
    this.#changed = changed;
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** -1 when nothing is known. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /** Takes the entry unless it is known; older entries that contradict it go (epoch or start not below its own). */
  assign(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset) return;
    let from = startOffset;
    while (this.#entries.length > 0) {
      const { epoch: known, startOffset: start } = this.#entries.at(-1)!;
      if (known < epoch && start < startOffset) break;
      this.#entries.pop();
      from = Math.min(from, start);
    }
    this.#entries.push({ epoch, startOffset });
    this.#changed(from);
  }

  /** Where the given epoch, or the largest known one below it, ended. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    if (epoch === -1) return UNDEFINED;
    if (epoch === this.latestEpoch) return { leaderEpoch: epoch, endOffset: logEndOffset };
    const next = this.#entries.find((entry) => entry.epoch > epoch);
    if (next === undefined) return UNDEFINED;
    const floor = this.#entries.findLast((entry) => entry.epoch <= epoch);
    return { leaderEpoch: floor?.epoch ?? epoch, endOffset: next.startOffset };
  }

  /** The epoch whose leader wrote an offset; -1 when unknown. */
  epochOf(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
  }

  /** Drops what begins at or above an offset. */
  truncateFromEnd(offset: number): void {
    const kept = this.#entries.filter((entry) => entry.startOffset < offset);
    this.#replace(kept, offset);
  }

  /** Drops what ended below an offset; the epoch of the offset itself then begins there. */
  truncateFromStart(offset: number): void {
    const floor = this.#entries.findLast((entry) => entry.startOffset <= offset);
    if (floor === undefined || floor === this.#entries[0]) {
      if (floor !== undefined && floor.startOffset < offset) {
        this.#entries[0] = { epoch: floor.epoch, startOffset: offset };
        this.#changed(0);
      }
      return;
    }
    const later = this.#entries.filter((entry) => entry.startOffset > offset);
    this.#replace([{ epoch: floor.epoch, startOffset: offset }, ...later], 0);
  }

  clear(): void {
    this.#replace([], 0);
  }

  #replace(entries: EpochEntry[], from: number): void {
    if (entries.length === this.#entries.length) return;
    this.#entries = entries;
    this.#changed(from);
  }
}

/** @throws CorruptionError */
export function readLeaderEpochs(disk: Disk, directory: string): EpochEntry[] {
  const path = `${directory}/${LEADER_EPOCH_FILE}`;
  if (disk.stat(path) === undefined) return [];
  return parseCheckpoint(path, disk.readFile(path), 2).map(([epoch, startOffset]) => ({
    epoch: integer(path, epoch),
    startOffset: integer(path, startOffset),
  }));
}

export function leaderEpochWriter(
  disk: Disk,
  directory: () => string,
  entries: () => readonly EpochEntry[],
): CheckpointWriter {
  return new CheckpointWriter(
    disk,
    () => `${directory()}/${LEADER_EPOCH_FILE}`,
    () => encodeCheckpoint(entries().map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)),
  );
}
