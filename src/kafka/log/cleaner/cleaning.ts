import { abandon, type Steps } from '../../../base/steps.ts';
import type { BufferPool } from '../../../runtime/buffer-pool.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { IterateOptions } from '../../records/iterate.ts';
import type { PartitionLog } from '../log.ts';
import type { Segment } from '../segment.ts';
import { BatchReader, type Stretch } from './batch-reader.ts';
import type { Throttle } from './throttle.ts';
import { TimeSlice } from './time-slice.ts';

/** The log under compaction was truncated, deleted or closed, or the cleaner stops: nothing of this is a fault. */
export class CleaningAborted extends Error {
  constructor(reason: string) {
    super(`compaction was given up: ${reason}`);
    this.name = 'CleaningAborted';
  }
}

/** Who waits for bandwidth notices after so long that the pass is to end. */
const CHECK_AFTER_MS = 250;

export interface CleaningOptions {
  readonly log: PartitionLog;
  readonly clock: Clock;
  readonly buffers: BufferPool;
  readonly throttle: Throttle;
  readonly bytesAtOnce: number;
  readonly decompressedBytesMax: number;
  readonly isStopping: () => boolean;
}

/** One pass over one log: how it reads, how it lets others in, and when it ends early. */
export class Cleaning {
  readonly log: PartitionLog;
  readonly slice: TimeSlice;
  /** How its batches are opened. */
  readonly iteration: IterateOptions;
  readonly stats = { bytesRead: 0, bytesWritten: 0, recordsRead: 0, recordsWritten: 0, keylessRecords: 0 };
  readonly #options: CleaningOptions;
  readonly #truncations: number;

  constructor(options: CleaningOptions) {
    this.#options = options;
    this.log = options.log;
    this.slice = new TimeSlice(options.clock);
    this.iteration = { decompressedSizeMax: options.decompressedBytesMax };
    this.#truncations = options.log.truncations;
  }

  /** Asked after everything that was waited for. @throws CleaningAborted */
  check(): void {
    const { log } = this;
    if (this.#options.isStopping()) throw new CleaningAborted('the broker stops');
    if (log.isClosed) throw new CleaningAborted('the log is closed');
    if (log.isOffline) throw new CleaningAborted('the log is offline');
    if (log.truncations !== this.#truncations) throw new CleaningAborted('the log was truncated');
  }

  /** Every batch of a segment from a position on, stretch by stretch. `visit` may keep what it got until it resolves. */
  async read(segment: Segment, position: number, visit: (stretch: Stretch) => Promise<boolean>): Promise<void> {
    const { buffers, bytesAtOnce } = this.#options;
    const reader = new BatchReader(segment, position, { buffers, bytesAtOnce });
    try {
      for (;;) {
        this.check();
        const stretch = await reader.next();
        this.slice.begin();
        this.check();
        if (stretch === undefined) return;
        try {
          await this.transferred(stretch.sizeInBytes);
          if (!(await visit(stretch))) return;
        } finally {
          stretch.giveBack();
        }
      }
    } finally {
      await reader.close();
    }
  }

  /** Waits as `log.cleaner.io.max.bytes.per.second` demands. */
  async transferred(bytes: number): Promise<void> {
    let leftMs = this.#options.throttle.take(bytes);
    while (leftMs > 0) {
      const waitMs = Math.min(leftMs, CHECK_AFTER_MS);
      await new Promise<void>((resume) => void this.#options.clock.after(waitMs, resume));
      this.slice.begin();
      this.check();
      leftMs -= waitMs;
    }
  }

  /** Between two batches. */
  /** All of a piece of work, with pauses where it is long. */
  async inSlices<T>(steps: Steps<T>): Promise<T> {
    try {
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
        if (this.slice.isOver) await this.breathe();
      }
    } finally {
      abandon(steps);
    }
  }

  async breathe(): Promise<void> {
    await this.slice.pause();
    this.check();
  }
}
