import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { ENGINE_FLAGS } from '../../runtime/node/engine-flags.ts';
import { programPath } from '../../runtime/node/package-files.ts';

/** Apache's main class stands in the broker's arguments, so that scripts that look for it find us; ours beside it tells us from a JVM. */
export const APACHE_MARK = 'kafka.Kafka';
export const OUR_MARK = 'odradek';

/** What kafka-run-class.sh hands to the JVM. */
export const LOG_DIR_FLAG = '-Dkafka.logs.dir=';

const serverMain = programPath('kafka/cli/kafka-server');

/** What runs a broker; `flags` are Java's `-Dname=value`. */
export function brokerCommand(args: readonly string[], flags: readonly string[] = []): string[] {
  return [process.execPath, ...ENGINE_FLAGS, serverMain, ...flags, APACHE_MARK, OUR_MARK, ...args];
}

/** What a starting broker tells the process that started it. */
export type StartMessage = { readonly kind: 'started' } | { readonly kind: 'refused'; readonly reason: string };

/** A broker that has said nothing by then is left to it: it may be recovering its logs. */
const START_WAIT_MS = 20_000;

/**
 * Starts a broker that outlives this process, its log in `logDir`; answers why it did not start, undefined when it did or is
 * still at it.
 */
export async function startDaemon(args: readonly string[], logDir: string, clock: Clock): Promise<string | undefined> {
  const outputFile = join(logDir, 'kafkaServer.out');
  mkdirSync(logDir, { recursive: true });
  const output = openSync(outputFile, 'a');
  const [program = '', ...rest] = brokerCommand(args, [`${LOG_DIR_FLAG}${logDir}`]);
  const child = spawn(program, rest, {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const refusal = await new Promise<string | undefined>((resolve) => {
    const timer = clock.after(START_WAIT_MS, () => settle(undefined));
    const settle = (reason: string | undefined): void => {
      timer.cancel();
      resolve(reason);
    };
    child.once('message', (message) => {
      const told = message as StartMessage;
      settle(told.kind === 'refused' ? told.reason : undefined);
    });
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`the process ended with ${code ?? signal}, see ${outputFile}`));
  });
  if (child.connected) child.disconnect();
  child.unref();
  return refusal;
}

/** Our brokers on this machine, whoever started them. */
export function runningBrokers(): number[] {
  return allProcesses()
    .filter(({ pid, words }) => pid !== process.pid && isOurs(words))
    .map(({ pid }) => pid);
}

/** Both marks, the first two arguments of the broker's program. */
export function isOurs(words: readonly string[]): boolean {
  const at = words.indexOf(APACHE_MARK);
  return at > 0 && words[at + 1] === OUR_MARK;
}

function allProcesses(): { pid: number; words: readonly string[] }[] {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => ({ pid: Number(pid), words: argumentsOf(pid) }));
  }
  const listing = spawnSync('ps', ['ax', '-o', 'pid=,args='], { encoding: 'utf8' }).stdout ?? '';
  return listing.split('\n').flatMap((line) => {
    const [pid, ...words] = line.trim().split(/\s+/);
    return pid === undefined || pid === '' ? [] : [{ pid: Number(pid), words }];
  });
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
}
