import { adler32 } from '../../../base/adler32.ts';
import { CorruptionError, type Disk, type File } from '../../../runtime/disk.ts';
import { MalformedError } from '../../../wire/errors.ts';
import { Reader } from '../../../wire/reader.ts';
import { counterOf, epochOf, hexOf, type Zxid } from '../../jute/ids.ts';
import { readTxnRecord } from '../../jute/txn.ts';
import { RawLog, rawEntryBytes } from '../../persistence/raw-log.ts';
import { END_OF_RECORD, LOG_HEADER_BYTES, LOG_MAGIC } from '../../persistence/txn-log-format.ts';
import { nodeName } from '../../tree/path.ts';
import { ToolError, type ToolIo } from './tool.ts';

export interface ChopOptions {
  readonly path: string;
  /** The last transaction that stays. */
  readonly zxid: Zxid;
}

/** Copies a log up to a zxid into `<path>.chopped<zxid>`. What fails is printed and is no failure of the tool, as with Apache's. */
export function chopLog(disk: Disk, { path, zxid }: ChopOptions, io: ToolIo): void {
  // Apache takes a negative zxid for "no chopping", and dies of it.
  if (zxid < 0n) throw new ToolError(`A zxid to chop at is not negative: ${zxid}`);
  const target = `${path}.chopped${zxid}`;
  const from = disk.open(path, { readOnly: true });
  const to = disk.open(target, { create: true });
  to.truncate(0);
  const copy = new Copy(to);
  try {
    const isChopped = new Chopper(from, copy, io).run(zxid);
    if (!isChopped) throw new ToolError(`Failed to chop ${nodeName(path)}`);
  } catch (error) {
    if (!isExpected(error)) throw error;
    io.write(`Got exception: ${error.message}\n`);
  } finally {
    // What went before the failure too.
    copy.flush();
    from.close();
    to.close();
  }
}

function isExpected(error: unknown): error is Error {
  return error instanceof ToolError || error instanceof CorruptionError || error instanceof MalformedError;
}

/** As Long.decode: decimal, `0x`, `#` or octal with a leading zero. @throws ToolError */
export function parseJavaLong(text: string): Zxid {
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const [prefix, pattern, rest] = /^(0[xX]|#)/.test(digits)
    ? ['0x', /^[0-9a-fA-F]+$/, digits.replace(/^(0[xX]|#)/, '')]
    : digits.length > 1 && digits.startsWith('0')
      ? ['0o', /^[0-7]+$/, digits.slice(1)]
      : ['', /^\d+$/, digits];
  const value = pattern.test(rest) ? BigInt(`${prefix}${rest}`) * (sign === '-' ? -1n : 1n) : undefined;
  if (value === undefined || BigInt.asIntN(64, value) !== value) throw new ToolError(`For input string: "${text}"`);
  return value as Zxid;
}

class Chopper {
  readonly #from: File;
  readonly #to: Copy;
  readonly #io: ToolIo;
  #previous: Zxid | undefined;

  constructor(from: File, to: Copy, io: ToolIo) {
    this.#from = from;
    this.#to = to;
    this.#io = io;
  }

  /** False if nothing came after the zxid, or the log lacks it. */
  run(last: Zxid): boolean {
    const log = new RawLog(this.#from);
    const header = log.header();
    // Java's EOFException has no text.
    if (header === undefined) throw new ToolError('null');
    if (header.magic !== LOG_MAGIC) {
      this.#io.complain('Invalid magic number in txn log file');
      return false;
    }
    this.#print(`ZooKeeper Transactional Log File with dbid ${header.dbid} txnlog format version ${header.version}`);
    this.#to.add(this.#from.readAt(0, LOG_HEADER_BYTES));
    let hasZxid = false;
    for (let count = 0; ; count += 1) {
      const entry = this.#next(log, count);
      if (entry === undefined) return false;
      const { zxid } = readTxnRecord(new Reader(entry)).header;
      if (zxid === last) hasZxid = true;
      this.#reportGap(zxid);
      if (zxid > last) {
        const isHere = count > 0 && hasZxid;
        this.#print(
          isHere
            ? `Chopping at ${hexOf(last)} new log has ${count} records`
            : `This log does not contain zxid ${hexOf(last)}`,
        );
        return isHere;
      }
      this.#to.add(rawEntryBytes(entry));
    }
  }

  #next(log: RawLog, count: number): Uint8Array | undefined {
    const step = log.next();
    if (step.kind === 'length') throw new ToolError(`Unreasonable length = ${step.length}`);
    if (step.kind === 'end') {
      this.#print(`EOF reached after ${count} txns.`);
      return undefined;
    }
    const { bytes, writtenChecksum, endMark } = step.entry;
    const right = BigInt(adler32(bytes));
    if (writtenChecksum !== right) throw new ToolError(`CRC doesn't match ${writtenChecksum} vs ${right}`);
    if (endMark === END_OF_RECORD) return bytes;
    if (endMark === undefined) throw new ToolError('null');
    this.#print('Last transaction was partial.');
    throw new ToolError('Last transaction was partial.');
  }

  #reportGap(zxid: Zxid): void {
    const previous = this.#previous;
    this.#previous = zxid;
    if (previous === undefined || previous === -1n || zxid === previous + 1n) return;
    const isIntra = epochOf(zxid) === epochOf(previous);
    if (!isIntra && counterOf(zxid) === 1) return;
    this.#print(`There is ${isIntra ? 'intra' : 'inter'}-epoch gap between ${hexOf(previous)} and ${hexOf(zxid)}`);
  }

  #print(line: string): void {
    this.#io.write(`${line}\n`);
  }
}

const COPY_BYTES = 256 * 1024;

/** Gathers small pieces to large writes. */
class Copy {
  readonly #file: File;
  #parts: Uint8Array[] = [];
  #size = 0;
  #end = 0;

  constructor(file: File) {
    this.#file = file;
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= COPY_BYTES) this.flush();
  }

  flush(): void {
    this.#file.writeAt(this.#end, Buffer.concat(this.#parts));
    this.#end += this.#size;
    this.#parts = [];
    this.#size = 0;
  }
}
