import { type Completion, CorruptionError, type Disk, type DiskError } from '../../runtime/disk.ts';

/*
 * All checkpoints are text: version (0), entry count, one entry a line, fields separated by white space.
 *
 *   recovery-point-offset-checkpoint, log-start-offset-checkpoint,
 *   replication-offset-checkpoint, cleaner-offset-checkpoint           topic partition offset
 *   leader-epoch-checkpoint                                            epoch start-offset
 *
 * An empty file holds no entries: 3.9 leaves one for the cleaner.
 */
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
export const LOG_START_OFFSET_FILE = 'log-start-offset-checkpoint';
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';
export const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint';
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';

const VERSION = '0';

export interface OffsetEntry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function encodeCheckpoint(lines: readonly string[]): Uint8Array {
  return Buffer.from(`${VERSION}\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`);
}

/** The fields of each entry. @throws CorruptionError, upon which Apache takes the directory offline */
export function parseCheckpoint(path: string, bytes: Uint8Array, fieldCount: number): readonly string[][] {
  if (bytes.length === 0) return [];
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [version, count, ...rest] = lines;
  if (version !== VERSION)
    throw new CorruptionError(path, 0, `Unrecognized version of the checkpoint file: ${version}`);
  const entries = rest.map((line) => line.trim().split(/\s+/));
  for (const entry of entries) {
    if (entry.length !== fieldCount) throw new CorruptionError(path, 0, `Malformed line in checkpoint file: ${entry}`);
  }
  if (Number(count) !== entries.length) {
    throw new CorruptionError(
      path,
      0,
      `Expected ${count} entries in checkpoint file, but found only ${entries.length}`,
    );
  }
  return entries;
}

export function encodeOffsets(entries: readonly OffsetEntry[]): Uint8Array {
  return encodeCheckpoint(entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`));
}

/** No file: no entries. */
export function readOffsets(disk: Disk, path: string): OffsetEntry[] {
  if (disk.stat(path) === undefined) return [];
  return parseCheckpoint(path, disk.readFile(path), 3).map(([topic, partition, offset]) => ({
    topic: topic!,
    partition: integer(path, partition),
    offset: integer(path, offset),
  }));
}

export function integer(path: string, field: string | undefined): number {
  const value = Number(field);
  if (field === undefined || !Number.isSafeInteger(value)) {
    throw new CorruptionError(path, 0, `Malformed line in checkpoint file: ${field}`);
  }
  return value;
}

/**
 * Writes one checkpoint again and again: at most one write is in flight, and requests that come meanwhile share the next,
 * which holds what is true when it starts.
 */
export class CheckpointWriter {
  readonly #disk: Disk;
  readonly #path: () => string;
  readonly #content: () => Uint8Array;
  #waiting: Completion[] = [];
  #writing = false;

  /** @param path asked at each write: a partition's directory is renamed when it goes */
  constructor(disk: Disk, path: () => string, content: () => Uint8Array) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
  }

  get idle(): boolean {
    return !this.#writing;
  }

  write(done: Completion): void {
    this.#waiting.push(done);
    if (!this.#writing) this.#next();
  }

  /** Calls when nothing is in flight, at once if so. */
  whenIdle(done: Completion): void {
    if (this.#writing) this.write(done);
    else done();
  }

  #next(): void {
    const served = this.#waiting;
    this.#waiting = [];
    this.#writing = true;
    this.#disk.replaceFile(this.#path(), this.#content(), (error?: DiskError) => {
      this.#writing = false;
      for (const done of served) done(error);
      if (!this.#writing && this.#waiting.length > 0) this.#next();
    });
  }
}
