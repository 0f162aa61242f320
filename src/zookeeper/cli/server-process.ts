import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ENGINE_FLAGS } from '../../runtime/node/engine-flags.ts';
import { programPath } from '../../runtime/node/package-files.ts';
import { logFileFlags } from './server-log.ts';

/** Apache's main class stands in the server's arguments, so that scripts that look for it find us; ours beside it tells us from a JVM. */
export const APACHE_MARK = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
export const OUR_MARK = 'odradek';

const serverMain = programPath('zookeeper/cli/quorum-peer-main');

/** What runs the server of a configuration; `flags` are Java's `-Dname=value`. */
export function serverCommand(configFile: string, flags: readonly string[] = []): string[] {
  return [process.execPath, ...ENGINE_FLAGS, serverMain, ...flags, APACHE_MARK, OUR_MARK, configFile];
}

/** What a starting server tells the process that started it. */
export type StartMessage = { readonly kind: 'started' } | { readonly kind: 'refused'; readonly reason: string };

export interface Started {
  readonly pid: number;
  /** Undefined: it runs. */
  readonly refusal: string | undefined;
}

/** A server that has said nothing by then is left to it: it may be reading a large snapshot. */
const START_WAIT_MS = 20_000;

export interface Daemon {
  readonly configFile: string;
  readonly logDir: string;
  /** Below `logDir`. */
  readonly logFile: string;
  /** What is no logging: its crash, above all. */
  readonly outputFile: string;
}

/** Starts a server that outlives this process, and waits until it serves or gives up. `onPid` hears its id first. */
export async function startDaemon(
  { configFile, logDir, logFile, outputFile }: Daemon,
  onPid: (pid: number) => void = () => undefined,
): Promise<Started> {
  mkdirSync(dirname(outputFile), { recursive: true });
  const output = openSync(outputFile, 'a');
  const [program = '', ...args] = serverCommand(configFile, logFileFlags(logDir, logFile));
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output, 'ipc'] });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) return { pid: -1, refusal: 'the process could not be started' };
  const outcome = new Promise<string | undefined>((resolve) => {
    child.once('message', (message) => {
      const told = message as StartMessage;
      resolve(told.kind === 'refused' ? told.reason : undefined);
    });
    child.once('exit', (code, signal) => resolve(`the process ended with ${code ?? signal}, see ${outputFile}`));
  });
  try {
    onPid(pid);
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  }
  const waiting = new AbortController();
  const patience = pause(START_WAIT_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  const refusal = await Promise.race([outcome, patience]);
  waiting.abort();
  if (child.connected) child.disconnect();
  child.unref();
  return { pid, refusal };
}

export interface FoundProcess {
  readonly pid: number;
  readonly args: string;
}

export type Owner = 'ours' | 'jvm' | 'other' | 'none';

/** Whose process an id is now. */
export function ownerOf(pid: number): Owner {
  if (!isAlive(pid)) return 'none';
  return classify(argumentsOf(pid));
}

/** Whose a process is, by its arguments. */
export function classify(args: string): Owner {
  if (!args.includes(APACHE_MARK)) return 'other';
  return args.split(/\s+/).includes(OUR_MARK) ? 'ours' : 'jvm';
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Asks the process to end; answers whether it did within the time. */
export async function stopProcess(
  pid: number,
  timeoutMs = 30_000,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    return !isAlive(pid);
  }
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 50) {
    if (!isAlive(pid)) return true;
    await pause(50);
  }
  return !isAlive(pid);
}

/** Our servers on this machine, whoever started them. */
export function runningServers(): FoundProcess[] {
  return allProcesses().filter(({ pid, args }) => pid !== process.pid && classify(args) === 'ours');
}

function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).stdout ?? '';
  }
}

function allProcesses(): FoundProcess[] {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => ({ pid: Number(pid), args: argumentsOf(Number(pid)) }));
  }
  const listing = spawnSync('ps', ['ax', '-o', 'pid=,args='], { encoding: 'utf8' }).stdout ?? '';
  return listing.split('\n').flatMap((line) => {
    const [, pid, args = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), args }];
  });
}
