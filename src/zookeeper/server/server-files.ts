import { present } from '../../base/assert.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Timer } from '../../runtime/clock.ts';
import { DiskError } from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { NamedFile } from '../persistence/file-names.ts';
import type { FileSnapLog, SnapshotSubject } from '../persistence/file-snap-log.ts';
import type { SnapshotFacts, SnapshotFiles } from './admin/admin-target.ts';

const MS_PER_HOUR = 3_600_000;

export interface ServerFilesOptions {
  readonly runtime: Runtime;
  readonly config: ZooCfg;
  readonly log: Log;
  readonly files: FileSnapLog;
  /** What recovery began with. */
  readonly recoveredSnapshot: NamedFile | undefined;
  readonly subject: SnapshotSubject;
}

/** The files of a server that runs, for its operators: where they are, snapshots on request, and old ones go (`autopurge`). */
export class ServerFiles implements SnapshotFiles {
  readonly snapshotDirectory: string;
  readonly logDirectory: string;
  readonly #options: ServerFilesOptions;
  #purgeTimer: Timer | undefined;

  constructor(options: ServerFilesOptions) {
    this.#options = options;
    this.snapshotDirectory = options.files.snapshotDirectory;
    this.logDirectory = options.files.logDirectory;
  }

  sizeOf(directory: string): number {
    const { disk } = this.#options.runtime;
    let size = 0;
    try {
      for (const { name } of disk.list(directory)) size += disk.stat(`${directory}/${name}`)?.size ?? 0;
    } catch (error) {
      // Who asks for a figure must not end a server whose disk is about to fail.
      if (!(error instanceof DiskError)) throw error;
    }
    return size;
  }

  lastSnapshot(): SnapshotFacts | undefined {
    const { files, recoveredSnapshot, runtime } = this.#options;
    const last = files.lastSnapshot ?? recoveredSnapshot;
    if (last === undefined) return undefined;
    const { path, zxid } = last;
    const stat = runtime.disk.stat(path);
    return stat === undefined ? undefined : { path, zxid, size: stat.size, modifiedMs: stat.modifiedMs };
  }

  async takeSnapshot(): Promise<SnapshotFacts> {
    await this.#options.files.takeSnapshot(this.#options.subject);
    return present(this.lastSnapshot(), 'a snapshot that was taken is there');
  }

  readSnapshot(path: string, position: number, length: number): Uint8Array {
    const file = this.#options.runtime.disk.open(path, { readOnly: true });
    try {
      return file.readAt(position, length);
    } finally {
      file.close();
    }
  }

  /** Purges now and at each interval, where the configuration has one. */
  startPurging(): void {
    if (this.#options.config.purgeIntervalHours > 0) this.#purge();
  }

  stopPurging(): void {
    this.#purgeTimer?.cancel();
  }

  #purge(): void {
    const { config, runtime, log, files } = this.#options;
    try {
      files.purge(config.snapRetainCount);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      log.warn('old snapshots and logs could not be removed', { error: error.message });
    }
    this.#purgeTimer = runtime.clock.after(config.purgeIntervalHours * MS_PER_HOUR, () => this.#purge());
  }
}
