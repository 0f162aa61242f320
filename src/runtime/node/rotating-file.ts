import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface RotatingFileOptions {
  readonly path: string;
  /** Bytes after which the file becomes `<path>.1`. Default 256 MiB, as Apache ZooKeeper's logback.xml has it. */
  readonly sizeMax?: number;
  /** Files kept beside the one that is written, `<path>.1` the newest. Default 20. */
  readonly backupCount?: number;
}

/** Lines that gather before they are written though the turn is not over. */
const GATHERED_CHARS_MAX = 64 * 1024;

/**
 * A log file of bounded size: full, it is renamed to `.1`, `.1` to `.2`, and so on (logback's FixedWindowRollingPolicy). The lines
 * of one turn of the event loop are one write, and what is left is written when the process exits. A file that somebody else
 * moves, deletes or truncates (logrotate) is opened anew. What cannot be written, on a full disk say, is dropped, and the next
 * line that can be tells how many were: a server must not stop for its log.
 */
export class RotatingFile {
  readonly path: string;
  readonly #sizeMax: number;
  readonly #backupCount: number;
  #fd: number | undefined;
  #gathered = '';
  #isScheduled = false;
  #lostLines = 0;
  readonly #onExit = (): void => this.flush();

  /** @throws the system's error if the file cannot be opened: better now than unnoticed. */
  constructor({ path, sizeMax = 256 * 1024 * 1024, backupCount = 20 }: RotatingFileOptions) {
    this.path = path;
    this.#sizeMax = sizeMax;
    this.#backupCount = backupCount;
    mkdirSync(dirname(path), { recursive: true });
    this.#fd = openSync(path, 'a');
    process.on('exit', this.#onExit);
  }

  /** Whole lines. */
  write(text: string): boolean {
    this.#gathered += text;
    if (this.#gathered.length >= GATHERED_CHARS_MAX) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.flush();
      });
    }
    return true;
  }

  /** Writes what has gathered. */
  flush(): void {
    const text = this.#gathered;
    if (text === '') return;
    this.#gathered = '';
    try {
      const bytes = Buffer.from(this.#lossText() + text);
      writeAll(this.#fileFor(bytes.length), bytes);
      this.#lostLines = 0;
    } catch {
      this.#lostLines += text.split('\n').length - 1;
    }
  }

  close(): void {
    this.flush();
    process.off('exit', this.#onExit);
    this.#closeFile();
  }

  #lossText(): string {
    return this.#lostLines === 0 ? '' : `${this.#lostLines} lines before this one could not be written\n`;
  }

  /** The file to which so many bytes may be appended. */
  #fileFor(size: number): number {
    const inPlace = statSync(this.path, { throwIfNoEntry: false });
    if (this.#fd !== undefined && inPlace?.ino !== fstatSync(this.#fd).ino) this.#closeFile();
    if (inPlace !== undefined && inPlace.size > 0 && inPlace.size + size > this.#sizeMax) this.#rotate();
    this.#fd ??= openSync(this.path, 'a');
    return this.#fd;
  }

  #rotate(): void {
    this.#closeFile();
    rmSync(this.#nameOf(this.#backupCount), { force: true });
    for (let index = this.#backupCount; index > 0; index -= 1) {
      const from = this.#nameOf(index - 1);
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, this.#nameOf(index));
    }
  }

  #nameOf(index: number): string {
    return index === 0 ? this.path : `${this.path}.${index}`;
  }

  #closeFile(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
