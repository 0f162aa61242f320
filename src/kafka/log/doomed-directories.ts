import type { Clock, Timer } from '../../runtime/clock.ts';
import { type Disk, DiskError } from '../../runtime/disk.ts';

/** Directories of partitions that are gone: their files go a while later (`file.delete.delay.ms`). */
export class DoomedDirectories {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #failed: (error: DiskError) => void;
  readonly #timers = new Set<Timer>();

  constructor(disk: Disk, clock: Clock, failed: (error: DiskError) => void) {
    this.#disk = disk;
    this.#clock = clock;
    this.#failed = failed;
  }

  removeLater(path: string, delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.#removeFiles(path);
    });
    this.#timers.add(timer);
  }

  /** What still waits is left to the next start. */
  close(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  /** One file a turn: unlinking a large file takes a while. */
  #removeFiles(path: string): void {
    try {
      if (this.#disk.stat(path) === undefined) return;
      const [file] = this.#disk.list(path);
      this.#disk.remove(file === undefined ? path : `${path}/${file.name}`);
      if (file !== undefined) this.#clock.soon(() => this.#removeFiles(path));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#failed(error);
    }
  }
}
