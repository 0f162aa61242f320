import { Deque } from '../../base/deque.ts';
import { type Completion, DiskError, type File } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Zxid } from '../jute/ids.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { EntryBatch } from './entry-batch.ts';
import { logName } from './file-names.ts';
import { PRE_ALLOC_BYTES, paddedSize } from './file-padding.ts';
import { BATCH_BYTES_MAX, LOG_HEADER_BYTES, logHeader } from './txn-log-format.ts';

export interface TxnLogOptions {
  /** `zookeeper.preAllocSize` in bytes, default 64 MiB; 0 or less turns it off. */
  readonly preAllocBytes?: number;
  /** `zookeeper.txnLogSizeLimitInKb` in bytes: a longer file is rolled; 0 or less turns it off, which is the default. */
  readonly sizeLimitBytes?: number;
  /** `zookeeper.forceSync`, default true. Without it a power failure loses acknowledged transactions. */
  readonly forceSync?: boolean;
  /** `fsync.warningthresholdms`, default 1000. */
  readonly syncWarningMs?: number;
}

interface LogFile {
  readonly name: string;
  /** Opened for its first write, when all that belongs into older files is durable: a crash leaves one unfinished file at most. */
  file: File | undefined;
  /** Header not written, name not durable. */
  isNew: boolean;
  /** With all that waits to be written. */
  size: number;
  /** Up to here the disk has room for the file: what is written there changes nothing else. */
  allocated: number;
  /** Batches of this file not yet durable. */
  pendingCount: number;
  /** Rolled: closed after the last of them. */
  isRolled: boolean;
}

/** What one write and one sync make durable. */
interface Batch {
  readonly log: LogFile;
  readonly entries: EntryBatch;
  readonly waiting: Completion[];
}

/**
 * The transaction log, written. Transactions gather while a sync is in flight and become durable together: one append and one
 * sync for all. After a failure nothing is written any more: what a failed write or sync left behind is unknown.
 */
export class TxnLog {
  readonly #runtime: Runtime;
  readonly #directory: string;
  readonly #preAllocBytes: number;
  readonly #sizeLimitBytes: number;
  readonly #forceSync: boolean;
  readonly #syncWarningMs: number;
  /** Undefined before the first transaction and after a roll. */
  #log: LogFile | undefined;
  /** Not yet handed to the disk, oldest first. */
  readonly #batches = new Deque<Batch>();
  /** The one that takes what is appended. */
  #gathering: Batch | undefined;
  #inFlight: Batch | undefined;
  /** What the last one took and a little more: a block that has to grow is copied, one that is too large hastens collections. */
  #batchSizeHint = BLOCK_BYTES_MIN;
  /** Calls of `flush` not yet answered. */
  #waitingCount = 0;
  #failure: DiskError | undefined;
  #bytesSinceRoll = 0;
  #lastZxid = -1n as Zxid;
  /** Hears how long each sync took, in milliseconds, and whether that is worth a warning. */
  onSync: ((tookMs: number, isSlow: boolean) => void) | undefined;

  /** @param directory `<dataLogDir>/version-2` */
  constructor(runtime: Runtime, directory: string, options: TxnLogOptions = {}) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#preAllocBytes = options.preAllocBytes ?? PRE_ALLOC_BYTES;
    this.#sizeLimitBytes = options.sizeLimitBytes ?? 0;
    this.#forceSync = options.forceSync ?? true;
    this.#syncWarningMs = options.syncWarningMs ?? 1000;
  }

  /** Bytes of the current file, what waits included: a trigger of snapshots. */
  get bytesSinceRoll(): number {
    return this.#bytesSinceRoll;
  }

  get failure(): DiskError | undefined {
    return this.#failure;
  }

  /** Takes a transaction; durable once a later `flush` is done. */
  append(record: TxnRecord): void {
    const batch = this.#batchFor(record.header.zxid);
    if (batch !== undefined) this.#added(batch, batch.entries.add(record));
  }

  /** As `append`, for the bytes of a proposal: header, body, digest. They are copied. */
  appendBytes(zxid: Zxid, record: Uint8Array): void {
    const batch = this.#batchFor(zxid);
    if (batch !== undefined) this.#added(batch, batch.entries.addBytes(record));
  }

  /** Calls once everything appended so far is durable, in the order of the calls. At once if there is nothing to wait for. */
  flush(done: Completion): void {
    if (this.#failure !== undefined) {
      done(this.#failure);
      return;
    }
    const newest = this.#gathering ?? this.#batches.at(this.#batches.size - 1) ?? this.#inFlight;
    if (newest === undefined) {
      done();
      return;
    }
    newest.waiting.push(done);
    this.#waitingCount += 1;
    this.#writeNext();
  }

  /** The next transaction begins a new file. */
  roll(): void {
    const log = this.#log;
    this.#log = undefined;
    this.#gathering = undefined;
    this.#bytesSinceRoll = 0;
    if (log === undefined) return;
    log.isRolled = true;
    closeIfDone(log);
  }

  /** After the end of the log was cut off, with nothing waiting: goes on after this zxid, in a new file. */
  continueAfter(zxid: Zxid): void {
    this.roll();
    this.#lastZxid = zxid;
  }

  /** Flushes and closes. */
  close(done: Completion): void {
    this.flush((error) => {
      this.roll();
      done(error);
    });
  }

  #begin(zxid: Zxid): LogFile {
    const log = {
      name: logName(zxid),
      file: undefined,
      isNew: true,
      size: LOG_HEADER_BYTES,
      allocated: 0,
      pendingCount: 0,
      isRolled: false,
    };
    this.#log = log;
    this.#bytesSinceRoll = LOG_HEADER_BYTES;
    return log;
  }

  #open(name: string): File {
    const file = this.#runtime.disk.open(`${this.#directory}/${name}`, { create: true });
    // A file of that name holds nothing that was ever acknowledged: recovery would have gone beyond its first zxid.
    file.truncate(0);
    file.seek(0);
    this.#runtime.log.info(`Creating new log file: ${name}`);
    return file;
  }

  /** Where the next transaction goes; undefined after a failure. */
  #batchFor(zxid: Zxid): Batch | undefined {
    if (this.#failure !== undefined) return undefined;
    if (zxid <= this.#lastZxid) {
      // The entry is still written, as Apache does.
      this.#runtime.log.warn('zxid is not larger than the last one in the log', { zxid, last: this.#lastZxid });
    } else {
      this.#lastZxid = zxid;
    }
    if (this.#log !== undefined && this.#sizeLimitBytes > 0 && this.#log.size > this.#sizeLimitBytes) this.roll();
    const log = this.#log ?? this.#begin(zxid);
    return this.#gathering ?? this.#beginBatch(log);
  }

  #beginBatch(log: LogFile): Batch {
    const batch = { log, entries: new EntryBatch(this.#batchSizeHint), waiting: [] };
    log.pendingCount += 1;
    this.#batches.push(batch);
    this.#gathering = batch;
    return batch;
  }

  #added({ log, entries }: Batch, size: number): void {
    log.size += size;
    this.#bytesSinceRoll += size;
    if (entries.size > BATCH_BYTES_MAX && entries.isDivisible)
      this.#beginBatch(log).entries.addBytes(entries.takeLast());
  }

  #writeNext(): void {
    if (this.#inFlight !== undefined || this.#waitingCount === 0) return;
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    if (batch === this.#gathering) this.#gathering = undefined;
    this.#inFlight = batch;
    const { log } = batch;
    const entries = batch.entries.finish();
    this.#batchSizeHint = Math.min(Math.max(entries.length * 1.25, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX) | 0;
    let file: File;
    try {
      file = log.file ?? this.#open(log.name);
      log.file = file;
      this.#pad(log, file, entries.length);
    } catch (error) {
      this.#failed(error);
      return;
    }
    file.append(log.isNew ? [logHeader(), entries] : [entries], (error) => {
      if (error !== undefined) this.#failed(error);
      else this.#sync(file, batch);
    });
  }

  /**
   * Extends the file by zeros that take no room, so that a sync need not write its length; and gives the part that comes next its
   * room, so that most syncs need not write where that is either: without this each of them is a transaction of the file system.
   */
  #pad(log: LogFile, file: File, size: number): void {
    if (this.#preAllocBytes <= 0) return;
    const fileSize = log.isNew ? LOG_HEADER_BYTES : file.size;
    const position = log.isNew ? LOG_HEADER_BYTES : file.end;
    const padded = paddedSize(position, fileSize, size, this.#preAllocBytes);
    if (padded > fileSize) file.truncate(padded);
    const end = position + size;
    if (end <= log.allocated) return;
    const allocated = Math.min(padded, end + ZEROS.length);
    file.writeAt(end, ZEROS.subarray(0, allocated - end));
    log.allocated = allocated;
  }

  #sync(file: File, batch: Batch): void {
    const { log } = batch;
    const { clock, disk } = this.#runtime;
    if (!this.#forceSync) {
      log.isNew = false;
      this.#finish(batch);
      return;
    }
    const startMs = clock.monotonicMs();
    file.sync((error) => {
      const tookMs = Math.round(clock.monotonicMs() - startMs);
      const isSlow = tookMs > this.#syncWarningMs;
      this.onSync?.(tookMs, isSlow);
      if (isSlow) this.#warnOfSlowSync(tookMs, file.size);
      if (error !== undefined) this.#failed(error);
      else if (!log.isNew) this.#finish(batch);
      else {
        log.isNew = false;
        disk.syncDirectory(this.#directory, (failed) =>
          failed === undefined ? this.#finish(batch) : this.#failed(failed),
        );
      }
    });
  }

  #warnOfSlowSync(tookMs: number, fileSize: number): void {
    this.#runtime.log.warn(
      `fsync-ing the write ahead log took ${tookMs}ms which will adversely effect operation latency.File size is ${fileSize} bytes. See the ZooKeeper troubleshooting guide`,
    );
  }

  #finish(batch: Batch): void {
    this.#inFlight = undefined;
    batch.log.pendingCount -= 1;
    closeIfDone(batch.log);
    this.#waitingCount -= batch.waiting.length;
    for (const done of batch.waiting) done();
    this.#writeNext();
  }

  #failed(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    this.fail(error);
  }

  /** Writes nothing any more, as after a failure of its own. */
  fail(error: DiskError): void {
    this.#failure = error;
    const batches = [...(this.#inFlight === undefined ? [] : [this.#inFlight]), ...this.#batches];
    this.#inFlight = undefined;
    this.#gathering = undefined;
    this.#batches.clear();
    this.#waitingCount = 0;
    for (const { log } of batches) {
      log.pendingCount -= 1;
      closeIfDone(log);
    }
    for (const { waiting } of batches) for (const done of waiting) done(error);
  }
}

/** Of the memory that a batch begins with; it grows to BATCH_BYTES_MAX. */
const BLOCK_BYTES_MIN = 4_096;
const BLOCK_BYTES_MAX = 512 * 1024;
const ZEROS = new Uint8Array(256 * 1024);

function closeIfDone(log: LogFile): void {
  if (log.isRolled && log.pendingCount === 0) log.file?.close();
}
