import type { Disk, DiskError } from '../../runtime/disk.ts';
import {
  CheckpointWriter,
  CLEANER_OFFSET_FILE,
  encodeOffsets,
  HIGH_WATERMARK_FILE,
  LOG_START_OFFSET_FILE,
  type OffsetEntry,
  RECOVERY_POINT_FILE,
} from './checkpoint-file.ts';
import type { PartitionLog } from './log.ts';

/** The checkpoint files of a log directory. A replica on its way into the directory is entered like those that live there. */
export class DirectoryCheckpoints {
  readonly recoveryPoints: CheckpointWriter;
  readonly logStartOffsets: CheckpointWriter;
  readonly highWatermarks: CheckpointWriter;
  /** Where the part begins that was never compacted. */
  readonly cleanerOffsets: CheckpointWriter;

  /** @param logs all that the directory holds */
  constructor(disk: Disk, path: string, logs: () => Iterable<PartitionLog>) {
    const writer = (fileName: string, offsetIn: (log: PartitionLog) => number | undefined): CheckpointWriter =>
      new CheckpointWriter(
        disk,
        () => `${path}/${fileName}`,
        () => encodeOffsets(entriesOf(logs(), offsetIn)),
      );
    this.recoveryPoints = writer(RECOVERY_POINT_FILE, (log) => log.recoveryPoint);
    this.logStartOffsets = writer(LOG_START_OFFSET_FILE, (log) =>
      log.logStartOffset > log.segments[0]!.baseOffset ? log.logStartOffset : undefined,
    );
    this.highWatermarks = writer(HIGH_WATERMARK_FILE, (log) => log.highWatermark);
    this.cleanerOffsets = writer(CLEANER_OFFSET_FILE, (log) => log.firstDirtyOffset);
  }

  get all(): readonly CheckpointWriter[] {
    return [this.recoveryPoints, this.logStartOffsets, this.highWatermarks, this.cleanerOffsets];
  }

  /** Those that every stop writes, one after the other; `done` hears of the first failure. */
  writeAll(done: (error?: DiskError) => void): void {
    const writers = [this.recoveryPoints, this.logStartOffsets, this.highWatermarks];
    const next = (error?: DiskError): void => {
      const writer = error === undefined ? writers.shift() : undefined;
      if (writer === undefined) done(error);
      else writer.write(next);
    };
    next();
  }
}

function entriesOf(logs: Iterable<PartitionLog>, offsetIn: (log: PartitionLog) => number | undefined): OffsetEntry[] {
  const found: OffsetEntry[] = [];
  for (const log of logs) {
    const offset = offsetIn(log);
    if (offset !== undefined) found.push({ ...log.topicPartition, offset });
  }
  return found;
}
