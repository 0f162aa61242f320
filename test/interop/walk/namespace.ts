/**
 * A network and a list of processes of its own for everything a walk starts: Apache's ports 2181 and 9092 are free in
 * it, and a script that stops "the Kafka server" finds none but the walk's. It lasts as long as its first process,
 * which ends with the pipe that this process holds, and takes everything in it along.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Outcome, PeerError, type RunOptions, run, type ServiceOptions, startService } from '../peers/process.ts';

export interface Namespace {
  run(command: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;
  start(command: string, args: readonly string[], options: ServiceOptions): Inhabitant;
  /** Kills what still runs in it. */
  close(): Promise<void>;
}

export interface Inhabitant {
  alive(): boolean;
  /** Sends the signal and resolves to the exit code, null if the signal itself ended it. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** Daemons become children of the first process: it ignores their ends, so that they do not stay as zombies. */
const FIRST_PROCESS = 'ip link set lo up && echo up && exec env --ignore-signal=CHLD cat';

/** Whoever enters stands in the root folder. */
const IN_FOLDER = 'cd "$0" && exec "$@"';

export async function openNamespace(): Promise<Namespace> {
  const holder = spawn(
    'unshare',
    ['--net', '--pid', '--mount-proc', '--fork', '--kill-child', 'sh', '-c', FIRST_PROCESS],
    { stdio: 'pipe' },
  );
  await isUp(holder);
  const enter = ['--target', String(childOf(holder.pid)), '--net', '--pid', '--mount', '--'];
  const line = (command: string, args: readonly string[], cwd = process.cwd()): readonly string[] => [
    ...enter,
    ...['sh', '-c', IN_FOLDER, cwd, command, ...args],
  ];
  return {
    run: (command, args, options) => run('nsenter', line(command, args, options?.cwd), options),
    start: (command, args, options) => inhabitant(line(command, args, options.cwd), options),
    async close() {
      const ended = new Promise((settle) => holder.once('exit', settle));
      holder.stdin?.end();
      await ended;
    },
  };
}

/** Entering a list of processes takes a fork: the program is the child of what was started. */
function inhabitant(line: readonly string[], options: ServiceOptions): Inhabitant {
  const service = startService('nsenter', line, options);
  return {
    alive: service.alive,
    end(signal) {
      process.kill(childOf(service.pid), signal);
      return service.ended;
    },
  };
}

function childOf(pid: number | undefined): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
  const [child] = children;
  if (!child) throw new PeerError(`process ${pid} has no child`);
  return child;
}

function isUp(holder: ChildProcess): Promise<void> {
  return new Promise((settle, reject) => {
    let said = '';
    const refuse = (cause?: Error): void =>
      reject(
        new PeerError(`no namespace: that needs root, unshare and nsenter of util-linux, and ip of iproute2\n${said}`, {
          cause,
        }),
      );
    holder.stdout?.once('data', () => settle());
    holder.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    holder.once('error', refuse);
    holder.once('close', () => refuse());
  });
}
