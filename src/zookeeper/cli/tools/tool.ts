import { CorruptionError, DiskError } from '../../../runtime/disk.ts';
import { MalformedError } from '../../../wire/errors.ts';
import { readLines } from '../lines.ts';

/** Apache's exit codes (org.apache.zookeeper.server.ExitCode). */
export const ExitCode = { finished: 0, unexpectedError: 1, invalidInvocation: 2 } as const;

/** Ends a tool: a message for standard error, empty for none, and the exit code. */
export class ToolError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = ExitCode.unexpectedError) {
    super(message);
    this.name = 'ToolError';
    this.exitCode = exitCode;
  }
}

/** Where a tool's texts go and come from. */
export interface ToolIo {
  /** As it is, no line end is added. Who prints much calls `room` now and then. */
  write(text: string): void;
  complain(line: string): void;
  /** Resolves when what was written has been taken, so that no dump piles up in memory. */
  room(): Promise<void>;
  /** The next line of standard input without its end; undefined after the last. */
  readLine(): Promise<string | undefined>;
}

export type Tool = (args: readonly string[], io: ToolIo) => Promise<number> | number;

/** Characters that are gathered before they are written. */
const CHUNK_LENGTH = 64 * 1024;

class ProcessIo implements ToolIo {
  #text = '';
  #lines: AsyncGenerator<string, undefined> | undefined;
  #isBroken = false;

  constructor() {
    // Who reads our output may stop before its end, as `head` does.
    process.stdout.on('error', () => {
      this.#isBroken = true;
    });
  }

  write(text: string): void {
    this.#text += text;
  }

  complain(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  async room(): Promise<void> {
    if (this.#text.length >= CHUNK_LENGTH) await this.flush();
  }

  async readLine(): Promise<string | undefined> {
    await this.flush();
    this.#lines ??= readLines(process.stdin);
    return (await this.#lines.next()).value;
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text === '') return;
    if (!this.#isBroken) await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
    if (this.#isBroken) throw new ToolError('');
  }
}

/** Runs a tool over the process's own streams, and sets its exit code. */
export async function runTool(tool: Tool, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const io = new ProcessIo();
  try {
    process.exitCode = await tool(args, io);
    await io.flush();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    await io.flush().catch(() => undefined);
    const message = messageOf(error);
    if (message !== '') io.complain(message);
  }
  // A reader of standard input would keep the process waiting.
  process.stdin.destroy();
}

function exitCodeOf(error: unknown): number {
  return error instanceof ToolError ? error.exitCode : ExitCode.unexpectedError;
}

/** What the files or the user did wrong is told in a line; our own faults with all there is to know. */
function messageOf(error: unknown): string {
  const isExpected =
    error instanceof ToolError ||
    error instanceof CorruptionError ||
    error instanceof DiskError ||
    error instanceof MalformedError;
  return isExpected ? error.message : ((error as Error).stack ?? String(error));
}
