/** Child processes for interop tests: run one to its end, or keep one that dies with this process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Whoever needs longer will never be done, however slow the machine is. */
export const PATIENCE_MS = 120_000;

/** A peer could not be installed, started or asked; the message holds what it printed. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}

export interface Outcome {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default two minutes, for slow machines; then the process is killed and PeerError thrown. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end; a non-zero exit code is a value, not an error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { timeoutMs = PATIENCE_MS } = options;
  return new Promise((resolve, reject) => {
    const child = spawnMortal(command, args, options, 'pipe');
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new PeerError(`cannot run ${command}`, { cause }));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      const outcome = { code, stdout: text(stdout), stderr: text(stderr) };
      if (timedOut)
        reject(
          new PeerError(
            `${describe(command, args)} took longer than ${timeoutMs} ms\n${outcome.stdout}\n${outcome.stderr}`,
          ),
        );
      else resolve(outcome);
    });
    child.stdin?.on('error', () => {}); // the program may end without reading its input
    child.stdin?.end(options.stdin ?? '');
  });
}

/** As `run`, for programs whose failure is ours: throws unless the exit code is 0. */
export async function runOrThrow(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await run(command, args, options);
  if (outcome.code !== 0)
    throw new PeerError(`${describe(command, args)} ended with ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
  return outcome;
}

export interface Service {
  readonly pid: number;
  /** False once the process has ended, for whatever reason. */
  alive(): boolean;
  /** Resolves to the exit code when the process ends by itself or another's hand; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGTERM, then SIGKILL after `timeoutMs` (default 30 s); resolves to the exit code, null after a signal. */
  stop(timeoutMs?: number): Promise<number | null>;
  /** SIGKILL: the crash that recovery must survive. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: a peer that hangs and comes back. When `suspend` returns it does nothing more. */
  suspend(): void;
  resume(): void;
}

export interface ServiceOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Takes standard output and standard error; appended to, so that restarts keep the history. */
  readonly logFile: string;
}

/** Starts a program that stays; it is killed when this process ends, however that happens. */
export function startService(command: string, args: readonly string[], options: ServiceOptions): Service {
  const log = openSync(options.logFile, 'a');
  const child = spawnMortal(command, args, options, log);
  closeSync(log);
  child.unref(); // a service that a test forgot must not keep the test runner waiting
  const ended = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => resolve(code));
    child.on('error', () => resolve(null));
  });
  const signal = (name: NodeJS.Signals) => void child.kill(name);
  const alive = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? -1,
    alive,
    ended,
    async stop(timeoutMs = 30_000) {
      child.ref();
      signal('SIGTERM');
      const timer = setTimeout(signal, timeoutMs, 'SIGKILL');
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
    async kill() {
      child.ref();
      signal('SIGKILL');
      await ended;
    },
    suspend() {
      signal('SIGSTOP');
      while (alive() && !isStopped(child.pid ?? -1));
    },
    resume: () => signal('SIGCONT'),
  };
}

/** The signal stops one thread, and that one the others: until then they may still answer somebody. */
function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return text.slice(text.lastIndexOf(')') + 2).startsWith('T');
    });
  } catch {
    return false; // one has just ended
  }
}

/** Asks `probe` until it answers something; there is no event to wait for in another program's start. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const { timeoutMs = PATIENCE_MS, everyMs = 25 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new PeerError(`no ${what} within ${timeoutMs} ms`);
    await pause(everyMs);
  }
}

const running = new Set<ChildProcess>();
let watching = false;
let parentDeathSignal: boolean | undefined;

/** Spawns a process that this one takes along: from 'exit', from signals, and on Linux even from SIGKILL. */
function spawnMortal(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
  output: 'pipe' | number,
): ChildProcess {
  killAllOnExit();
  // prctl(PR_SET_PDEATHSIG) through util-linux; setpriv then becomes the program, so the pid stays
  parentDeathSignal ??= spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  const line = parentDeathSignal ? ['setpriv', '--pdeathsig', 'KILL', '--', command, ...args] : [command, ...args];
  const child = spawn(line[0] ?? command, line.slice(1), {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [output === 'pipe' ? 'pipe' : 'ignore', output, output],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', () => running.delete(child));
  return child;
}

function killAllOnExit(): void {
  if (watching) return;
  watching = true;
  const killAll = () => {
    for (const child of running) child.kill('SIGKILL');
  };
  process.on('exit', killAll);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => {
      killAll();
      process.kill(process.pid, signal); // our handler is gone: the default ends us as the sender meant
    });
}

function describe(command: string, args: readonly string[]): string {
  return [command, ...args].join(' ').slice(0, 400);
}
