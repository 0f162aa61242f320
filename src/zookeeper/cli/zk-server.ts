/** zkServer.sh: starts, stops and asks the server of a configuration. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SERVER_VERSION } from '../server/version.ts';
import { runServer } from './run-server.ts';
import { logFileFlags } from './server-log.ts';
import { ownerOf, serverCommand, startDaemon, stopProcess } from './server-process.ts';
import { printStatus } from './server-status.ts';
import { type Environment, looseConfig, pidFileOf, type ZkEnvironment, zkEnvironment } from './zk-environment.ts';

const actions = ['start', 'start-foreground', 'stop', 'version', 'restart', 'status', 'print-cmd'] as const;
type Action = (typeof actions)[number];

interface Invocation {
  readonly env: Environment;
  readonly zk: ZkEnvironment;
  readonly config: ReadonlyMap<string, string>;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const printPart = (text: string): void => void process.stdout.write(text);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

/** Answers the exit code. */
export async function zkServer(args: readonly string[], env: Environment): Promise<number> {
  const configDir = args[0] === '--config' ? args[1] : undefined;
  const [action, config] = args[0] === '--config' ? args.slice(2) : args;
  const zk = zkEnvironment(env, { configDir, config });
  complain(env.JMXDISABLE === 'true' ? 'JMX disabled by user request' : 'ZooKeeper JMX enabled by default');
  if (env.JMXPORT) complain(`JMXPORT=${env.JMXPORT} is ignored: no JVM runs here`);
  complain(`Using config: ${zk.configFile}`);
  if (!isAction(action)) {
    complain(`Usage: zkServer.sh [--config <conf-dir>] {${actions.join('|')}}`);
    // As Apache's script.
    return 0;
  }
  return run(action, { env, zk, config: looseConfig(zk.configFile) });
}

function isAction(word: string | undefined): word is Action {
  return actions.some((action) => action === word);
}

async function run(action: Action, invocation: Invocation): Promise<number> {
  const { configFile } = invocation.zk;
  switch (action) {
    case 'start':
      return start(invocation);
    case 'start-foreground':
      return refuseMissingDirectories(invocation) ? 1 : runServer(configFile);
    case 'stop':
      return stop(invocation);
    case 'restart':
      return (await stop(invocation)) === 0 ? start(invocation) : 1;
    case 'status':
      return printStatus(configFile, invocation.env, print);
    case 'print-cmd':
      print(serverCommand(configFile, logFileFlags(invocation.zk.logDir, invocation.zk.logFile)).map(quoted).join(' '));
      return 0;
    case 'version': {
      const [version, built] = SERVER_VERSION.split(', built on ');
      print(`Apache ZooKeeper, version ${version} ${built}`);
      return 0;
    }
    default:
      return action satisfies never;
  }
}

async function start(invocation: Invocation): Promise<number> {
  const { env, zk, config } = invocation;
  if (refuseMissingDirectories(invocation)) return 1;
  printPart('Starting zookeeper ... ');
  const pidFile = pidFileOf(env, config);
  const running = pidFile === undefined ? undefined : readPid(pidFile);
  if (running !== undefined && ['ours', 'jvm'].includes(ownerOf(running))) {
    print(`already running as process ${running}.`);
    return 1;
  }
  let pidIsWritten = false;
  try {
    const { refusal } = await startDaemon(zk, (pid) => {
      if (pidFile !== undefined) writePid(pidFile, pid);
      pidIsWritten = true;
    });
    if (refusal === undefined) {
      print('STARTED');
      return 0;
    }
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
    print('FAILED TO START');
    complain(refusal);
  } catch (error) {
    print(pidIsWritten || isSpawnError(error, zk.logDir) ? 'SERVER DID NOT START' : 'FAILED TO WRITE PID');
    complain((error as Error).message);
  }
  return 1;
}

/** The log directory, not the process id's file, could not be made. */
function isSpawnError(error: unknown, logDir: string): boolean {
  return (error as NodeJS.ErrnoException).path?.startsWith(logDir) === true;
}

/** Ends the process that the file names, if it is a server of ours: a process id may long be another's. */
async function stop({ env, config }: Invocation): Promise<number> {
  printPart('Stopping zookeeper ... ');
  const pidFile = pidFileOf(env, config);
  if (pidFile === undefined || !existsSync(pidFile)) {
    print(`no zookeeper to stop (could not find file ${pidFile ?? ''})`);
    return 0;
  }
  const pid = readPid(pidFile);
  const owner = pid === undefined ? 'none' : ownerOf(pid);
  if (pid !== undefined && owner === 'ours' && !(await stopProcess(pid))) {
    print(`process ${pid} does not end`);
    return 1;
  }
  if (owner === 'jvm') {
    print(`process ${pid} is a JVM, not ours: stop it with its own script`);
    return 1;
  }
  rmSync(pidFile, { force: true });
  print('STOPPED');
  return 0;
}

function refuseMissingDirectories({ env, config }: Invocation): boolean {
  if (env.ZOO_DATADIR_AUTOCREATE_DISABLE === undefined) return false;
  const dataDir = config.get('dataDir') ?? '';
  const logDir = config.get('dataLogDir') ?? dataDir;
  for (const [what, directory] of [
    ['data', dataDir],
    ['txnlog', logDir],
  ] as const) {
    if (existsSync(`${directory}/version-2`)) continue;
    print(`ZooKeeper ${what} directory is missing at ${directory} fix the path or run initialize`);
    return true;
  }
  return false;
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'latin1'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function writePid(pidFile: string, pid: number): void {
  mkdirSync(dirname(pidFile), { recursive: true });
  writeFileSync(pidFile, String(pid));
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

if (import.meta.main) process.exitCode = await zkServer(process.argv.slice(2), process.env);
