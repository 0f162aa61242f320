import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { clientLoginOf } from '../../config/client-login.ts';
import { ConfigError } from '../../config/config-error.ts';
import { systemPropertiesOf } from '../../config/system-properties.ts';
import type { SystemProperties } from '../../config/zoo-cfg.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import { outliveOutput } from '../../runtime/node/outlive-output.ts';
import { InvalidConnectStringError } from '../client/connect-string.ts';
import { InvalidPathError } from '../client/paths.ts';
import { tlsOfProperties, withClientConfiguration } from './client-properties.ts';
import type { Console } from './command.ts';
import { CliError } from './command-line.ts';
import { completer } from './completer.ts';
import { withKafkaTlsFile } from './kafka-tls-file.ts';
import { readLines } from './lines.ts';
import { Shell, type ShellOptions, usage } from './shell.ts';

/** How long the first prompt waits for the session, so that it does not say CONNECTING of a server that is there. */
const FIRST_PROMPT_WAIT_MS = 1000;

interface Arguments {
  readonly connect: string;
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  readonly waitsForConnection: boolean;
  /** A file of properties. */
  readonly clientConfiguration: string | undefined;
  /** Empty: the shell. */
  readonly command: readonly string[];
}

/** Flags stand before the command; unknown ones are passed over, as Apache's do. */
export function parseArguments(args: readonly string[], complain: (line: string) => void): Arguments {
  let [connect, timeout, readOnly, waitsForConnection] = ['localhost:2181', '30000', false, false];
  let clientConfiguration: string | undefined;
  let index = 0;
  for (; index < args.length && (args[index] as string).startsWith('-'); index += 1) {
    const flag = args[index] as string;
    if (flag === '-r') readOnly = true;
    else if (flag === '-waitforconnection') waitsForConnection = true;
    else if (flag === '-server' || flag === '-timeout' || flag === '-client-configuration') {
      index += 1;
      const value = args[index];
      if (value === undefined) complain(`Error: no argument found for option ${flag}`);
      else if (flag === '-server') connect = value;
      else if (flag === '-timeout') timeout = value;
      else clientConfiguration = value;
    }
  }
  const sessionTimeoutMs = /^\d{1,9}$/.test(timeout) ? Number(timeout) : 30_000;
  const command = args.slice(index);
  return { connect, sessionTimeoutMs, readOnly, waitsForConnection, clientConfiguration, command };
}

export interface ZkCliOptions {
  /** Piped input is answered with prompts and an echo, as by Apache's when its JLine is there (default), or without. */
  readonly jline?: boolean;
  /** Where `-D` flags stand that say how to log in by SASL, and of TLS. */
  readonly jvmFlags?: string;
  /** A file with the keys by which Kafka's brokers speak TLS to ZooKeeper. */
  readonly kafkaTlsFile?: string | undefined;
  /** The first line of the usage block. */
  readonly usageHead?: string;
}

/** Answers the exit code. */
export async function zkCli(
  args: readonly string[],
  {
    jline = true,
    jvmFlags = `${process.env.CLIENT_JVMFLAGS ?? ''} ${process.env.JVMFLAGS ?? ''}`,
    kafkaTlsFile,
    usageHead,
  }: ZkCliOptions = {},
): Promise<number> {
  outliveOutput(); // as Apache's does, whose printer passes over errors
  const console: Console = {
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
  };
  const { command, clientConfiguration, ...options } = parseArguments(args, console.complain);
  const { waitsForConnection } = options;
  if (command[0] === '--help' || command[0] === '-h') {
    for (const line of usage(usageHead)) console.complain(line);
    return 0;
  }
  if (kafkaTlsFile !== undefined && options.readOnly) {
    console.complain('read-only mode (-r) is not supported with an explicit TLS config (-zk-tls-config-file)');
    return 1;
  }
  const flags = systemPropertiesOf(jvmFlags);
  const login = clientLoginOf(flags, (path) => readFileSync(path, 'utf8'));
  const properties = (): SystemProperties => {
    if (kafkaTlsFile !== undefined) return withKafkaTlsFile(flags, kafkaTlsFile);
    return clientConfiguration === undefined ? flags : withClientConfiguration(flags, clientConfiguration);
  };
  const shell = openShell(console, { ...options, login, usageHead }, properties);
  if (typeof shell === 'number') return shell;
  const waitMs = waitsForConnection ? options.sessionTimeoutMs : command.length > 0 ? 0 : FIRST_PROMPT_WAIT_MS;
  const isConnected = waitMs === 0 || (await isConnectedWithin(shell, waitMs)) || shell.client.state === 'authFailed';
  if (waitsForConnection && !isConnected) {
    await shell.client.close();
    console.complain('KeeperErrorCode = ConnectionLoss');
    return 1;
  }
  if (command.length > 0) {
    await shell.run(command);
    return shell.exitCode;
  }
  console.print('Welcome to ZooKeeper!');
  console.print(`JLine support is ${jline ? 'enabled' : 'disabled'}`);
  if (process.stdin.isTTY && process.stdout.isTTY && jline) await converse(shell);
  else await readAll(shell, jline);
  return shell.exitCode;
}

/** Or the exit code. */
function openShell(console: Console, options: ShellOptions, properties: () => SystemProperties): Shell | number {
  try {
    const tls = tlsOfProperties(properties());
    return new Shell(nodeRuntime({ logStream: process.stderr, logLevel: 'warn' }), console, { ...options, tls });
  } catch (error) {
    if (!isUsersFault(error)) throw error;
    console.complain(error.message);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

function isUsersFault(error: unknown): error is Error {
  return [InvalidConnectStringError, InvalidPathError, ConfigError, CliError].some((kind) => error instanceof kind);
}

function isConnectedWithin(shell: Shell, timeoutMs: number): Promise<boolean> {
  return shell.client.connected({ timeoutMs }).then(
    () => true,
    () => false,
  );
}

/** What a shell says of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** At a terminal: editing, history, completion. Ctrl-D ends it as the input's end does, Ctrl-C at once. */
async function converse(shell: Shell): Promise<void> {
  const terminal: Interface = createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: completer(shell, () => terminal),
  });
  const lines = terminal[Symbol.asyncIterator]();
  let isClosed = false;
  terminal.on('close', () => {
    isClosed = true;
  });
  terminal.on('SIGINT', () => {
    terminal.close();
    exitWith(INTERRUPTED);
  });
  // The end may be typed while a command runs.
  while (!shell.quits && !isClosed) {
    terminal.setPrompt(shell.prompt);
    terminal.prompt();
    const { value, done } = await lines.next();
    if (done === true) break;
    await shell.runLine(value);
  }
  terminal.close();
}

/** From a pipe or a file: a line after the other until its end. */
async function readAll(shell: Shell, echoes: boolean): Promise<void> {
  const lines = readLines(process.stdin);
  while (!shell.quits) {
    if (echoes) process.stdout.write(shell.prompt);
    const { value, done } = await lines.next();
    if (done === true) break;
    if (echoes) process.stdout.write(`${value}\n`);
    await shell.runLine(value);
  }
}

/** Ends the process as Apache's tool ends: a session that was not closed is left to expire. */
export function exitWith(code: number): void {
  process.stdout.write('', () => process.exit(code));
}
