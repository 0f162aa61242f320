/** zkTxnLogToolkit.sh: shows a transaction log, gives wrong checksums the right value in a copy, or cuts a copy at a zxid. */

import { accessSync, constants } from 'node:fs';
import { adler32 } from '../../../base/adler32.ts';
import type { Disk, File } from '../../../runtime/disk.ts';
import { nodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { PRE_ALLOC_BYTES, paddedSize } from '../../persistence/file-padding.ts';
import { RawLog, rawEntryBytes } from '../../persistence/raw-log.ts';
import { END_OF_RECORD, LOG_HEADER_BYTES, LOG_MAGIC } from '../../persistence/txn-log-format.ts';
import { nodeName } from '../../tree/path.ts';
import { chopLog, parseJavaLong } from './chop-log.ts';
import { ExitCode, runTool, ToolError, type ToolIo } from './tool.ts';
import { parseToolOptions, type ToolOption } from './tool-options.ts';
import { txnLine } from './txn-text.ts';

const optionTable: readonly ToolOption[] = [
  { short: 'h', long: 'help', kind: 'flag' },
  { short: 'r', long: 'recover', kind: 'flag' },
  { short: 'v', long: 'verbose', kind: 'flag' },
  { short: 'd', long: 'dump', kind: 'flag' },
  { short: 'y', long: 'yes', kind: 'flag' },
  { short: 'c', long: 'chop', kind: 'flag' },
  { short: 'z', long: 'zxid', kind: 'value' },
];

const help = `usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)
 -c,--chop         Chop mode. Chop txn file to a zxid.
 -d,--dump         Dump mode. Dump all entries of the log file with printing the content of a nodepath (default)
 -h,--help         Print help message
 -r,--recover      Recovery mode. Re-calculate CRC for broken entries.
 -v,--verbose      Be verbose in recovery mode: print all entries, not just fixed ones.
 -y,--yes          Non-interactive mode: repair all CRC errors without asking
 -z,--zxid <arg>   Used with chop. Zxid to which to chop.
`;

/** Answers the exit code. */
export async function txnLogToolkit(args: readonly string[], io: ToolIo): Promise<number> {
  const parsed = parseOrHelp(args, io);
  if (parsed === undefined) return ExitCode.unexpectedError;
  const { options, words } = parsed;
  const [path] = words;
  if (options.has('h') || path === undefined) {
    io.write(help);
    return options.has('h') ? ExitCode.finished : ExitCode.unexpectedError;
  }
  const { disk } = nodeRuntime({ logStream: process.stderr, logLevel: 'warn' });
  refuseUnreadable(path);
  const zxid = options.get('z');
  if (options.has('c') && zxid !== undefined) {
    chopLog(disk, { path, zxid: parseJavaLong(zxid) }, io);
    return ExitCode.finished;
  }
  const file = disk.open(path, { readOnly: true });
  const copy = options.has('r') ? new FixedCopy(disk, `${path}.fixed`) : undefined;
  try {
    const fixedCount = await new Dump(io, file, copy, { asks: !options.has('y'), printsAll: options.has('v') }).run();
    if (copy !== undefined) {
      io.write(`Recovery file ${copy.path} has been written with ${fixedCount} fixed CRC error(s)\n`);
    }
  } finally {
    copy?.close();
    file.close();
  }
  return ExitCode.finished;
}

function parseOrHelp(args: readonly string[], io: ToolIo) {
  try {
    return parseToolOptions(args, optionTable);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    io.complain(`${error.message}\n`);
    io.write(help);
    return undefined;
  }
}

function refuseUnreadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new ToolError(`File doesn't exist or not readable: ${path}`);
  }
}

interface DumpOptions {
  /** Before a checksum is fixed. */
  readonly asks: boolean;
  /** Not only what was fixed. */
  readonly printsAll: boolean;
}

class Dump {
  readonly #io: ToolIo;
  readonly #file: File;
  readonly #copy: FixedCopy | undefined;
  readonly #options: DumpOptions;
  readonly #answers = new Answers();
  #fixedCount = 0;

  constructor(io: ToolIo, file: File, copy: FixedCopy | undefined, options: DumpOptions) {
    this.#io = io;
    this.#file = file;
    this.#copy = copy;
    this.#options = options;
  }

  /** Answers how many checksums were fixed. */
  async run(): Promise<number> {
    const log = new RawLog(this.#file);
    const header = log.header();
    if (header === undefined) throw new ToolError(`No file header in ${this.#file.path}`);
    if (header.magic !== LOG_MAGIC) {
      throw new ToolError(`Invalid magic number for ${nodeName(this.#file.path)}`, ExitCode.invalidInvocation);
    }
    this.#io.write(
      `ZooKeeper Transactional Log File with dbid ${header.dbid} txnlog format version ${header.version}\n`,
    );
    this.#copy?.begin(this.#file.readAt(0, LOG_HEADER_BYTES));
    for (let count = 0; ; count += 1) {
      const step = log.next();
      if (step.kind === 'length') throw new ToolError(`Unreasonable length = ${step.length}`);
      if (step.kind === 'end') {
        this.#io.write(`EOF reached after ${count} txns.\n`);
        return this.#fixedCount;
      }
      await this.#entry(step.entry.bytes, step.entry.writtenChecksum, step.entry.endMark);
      await this.#io.room();
    }
  }

  async #entry(bytes: Uint8Array, written: bigint, endMark: number | undefined): Promise<void> {
    const right = BigInt(adler32(bytes));
    const checksum = written === right ? written : await this.#judge(bytes, written, right);
    if (this.#copy === undefined || this.#options.printsAll) this.#io.write(txnLine(bytes));
    if (endMark !== END_OF_RECORD) throw new ToolError('Last transaction was partial.');
    this.#copy?.add(bytes, checksum);
  }

  async #judge(bytes: Uint8Array, written: bigint, right: bigint): Promise<bigint> {
    const isFixed = this.#copy !== undefined && !this.#options.asks;
    this.#io.write(`CRC ${isFixed ? 'FIXED' : 'ERROR'} - ${txnLine(bytes)}`);
    if (this.#copy === undefined || !(isFixed || (await this.#answers.ask(this.#io)))) return written;
    this.#fixedCount += 1;
    return right;
  }
}

/** What the user says, word by word: several may stand in a line. */
class Answers {
  #words: string[] = [];

  /** @throws ToolError on "abort", and at the end of the input */
  async ask(io: ToolIo): Promise<boolean> {
    for (;;) {
      io.write('Would you like to fix it (Yes/No/Abort) ? ');
      const letter = (await this.#next(io))[0]?.toUpperCase();
      if (letter === 'Y') return true;
      if (letter === 'N') return false;
      if (letter === 'A') throw new ToolError('Recovery aborted.', ExitCode.finished);
    }
  }

  async #next(io: ToolIo): Promise<string> {
    while (this.#words.length === 0) {
      const line = await io.readLine();
      if (line === undefined) throw new ToolError('No answer on standard input');
      this.#words = line.split(/\s+/).filter((word) => word !== '');
    }
    return this.#words.shift() as string;
  }
}

/** The copy with right checksums, allocated ahead as a server's log is. */
class FixedCopy {
  readonly path: string;
  readonly #file: File;
  #end = 0;
  #size = 0;

  /** @throws ToolError where there is such a file */
  constructor(disk: Disk, path: string) {
    if (disk.stat(path) !== undefined) throw new ToolError(`Recovery file ${path} already exists or not writable`);
    this.path = path;
    this.#file = disk.open(path, { create: true });
  }

  begin(header: Uint8Array): void {
    this.#file.writeAt(0, header);
    this.#end = header.length;
    this.#size = header.length;
  }

  add(bytes: Uint8Array, checksum: bigint): void {
    const size = paddedSize(this.#end, this.#size, 0, PRE_ALLOC_BYTES);
    if (size !== this.#size) this.#file.writeAt(size - 1, zero);
    this.#size = size;
    const entry = rawEntryBytes(bytes, checksum);
    this.#file.writeAt(this.#end, entry);
    this.#end += entry.length;
  }

  close(): void {
    this.#file.close();
  }
}

const zero = new Uint8Array(1);

if (import.meta.main) await runTool(txnLogToolkit);
