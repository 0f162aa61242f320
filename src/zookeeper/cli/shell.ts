import type { ClientLogin } from '../../config/client-login.ts';
import type { ClientTlsOptions } from '../../config/client-tls.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type ClientState, connectZookeeper, type ZookeeperClient } from '../client/client.ts';
import { InvalidConnectStringError } from '../client/connect-string.ts';
import { InvalidPathError } from '../client/paths.ts';
import type { Watcher } from '../client/watch-registry.ts';
import { KeeperError } from '../jute/errors.ts';
import { type Command, type Console, usageLine, wordsOf } from './command.ts';
import { CliError, splitWords } from './command-line.ts';
import { errorText } from './error-text.ts';
import { nodeCommands } from './node-commands.ts';
import { stateEventLine, watchEventLine } from './output.ts';
import { quotaCommands } from './quota-commands.ts';
import { redoneLine, sessionCommands } from './session-commands.ts';

export interface ShellOptions {
  readonly connect: string;
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  /** A new connection stands before the next command. */
  readonly waitsForConnection: boolean;
  /** Undefined: plain connections. */
  readonly tls?: ClientTlsOptions | undefined;
  readonly login?: ClientLogin;
  /** Default: zkCli's. */
  readonly usageHead?: string | undefined;
}

/** Apache's exit code for a word that is no command. */
const COMMAND_NOT_FOUND = 127;
const HISTORY_SHOWN = 10;

/** Commands that the shell itself answers, with or without a connection. */
const shellCommands: readonly { readonly name: string; readonly usage: string }[] = [
  { name: 'connect', usage: 'host:port' },
  { name: 'history', usage: '' },
  { name: 'printwatches', usage: 'on|off' },
  { name: 'quit', usage: '' },
  { name: 'redo', usage: 'cmdno' },
];
const commands = new Map<string, Command>(
  [...nodeCommands, ...quotaCommands, ...sessionCommands].map((command) => [command.name, command]),
);

/** How the prompt names a state (ZooKeeper.States). */
const stateNames: { readonly [state in ClientState]: string } = {
  connecting: 'CONNECTING',
  connected: 'CONNECTED',
  connectedReadOnly: 'CONNECTEDREADONLY',
  disconnected: 'CONNECTING',
  expired: 'CLOSED',
  authFailed: 'AUTH_FAILED',
  closed: 'CLOSED',
};

/** How a watcher hears of a state (Watcher.Event.KeeperState). */
const stateEvents: { readonly [state in Exclude<ClientState, 'connecting'>]: string } = {
  connected: 'SyncConnected',
  connectedReadOnly: 'ConnectedReadOnly',
  disconnected: 'Disconnected',
  expired: 'Expired',
  authFailed: 'AuthFailed',
  closed: 'Closed',
};

/** One session with its history: runs a line at a time, and remembers the exit code of the last (ZooKeeperMain). */
export class Shell {
  readonly #runtime: Runtime;
  readonly #console: Console;
  readonly #options: ShellOptions;
  readonly #history: string[] = [];
  #host: string;
  #client: ZookeeperClient;
  #printsWatches = true;
  /** One for all commands: what two of them watch is told once. */
  readonly #watcher: Watcher = (event) => this.#printEvent(watchEventLine(event));
  #exitCode = 0;
  #quits = false;

  constructor(runtime: Runtime, console: Console, options: ShellOptions) {
    this.#runtime = runtime;
    this.#console = console;
    this.#options = options;
    this.#host = options.connect;
    console.print(`Connecting to ${options.connect}`);
    this.#client = this.#connect(options.connect);
  }

  get client(): ZookeeperClient {
    return this.#client;
  }

  /** Of the last command. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** `quit` was given. */
  get quits(): boolean {
    return this.#quits;
  }

  get prompt(): string {
    return `[zk: ${this.#host}(${stateNames[this.#client.state]}) ${this.#history.length}] `;
  }

  /** The names of the commands, for completion. */
  get commandNames(): string[] {
    return usageRows().map(({ name }) => name);
  }

  /** A line of the interactive shell; it gets a number in the history. */
  async runLine(line: string): Promise<void> {
    const words = splitWords(line);
    if (words.length === 0) return;
    this.#history.push(line);
    await this.run(words);
  }

  async run(words: readonly string[]): Promise<void> {
    try {
      await this.#execute(words);
      this.#exitCode = this.#quits ? this.#exitCode : 0;
    } catch (error) {
      const failure = asCliError(error);
      this.#console.complain(failure.message);
      this.#exitCode = failure.exitCode;
    }
  }

  async #execute(words: readonly string[]): Promise<void> {
    const [name = '', ...rest] = words;
    const command = commands.get(name);
    if (command === undefined && !shellCommands.some((row) => row.name === name)) {
      for (const line of usage(this.#options.usageHead)) this.#console.complain(line);
      throw new CliError(`Command not found: Command not found ${name}`, COMMAND_NOT_FOUND);
    }
    if (command === undefined) await this.#runShellCommand(name, rest);
    if (this.#quits) return;
    if (isOver(this.#client.state)) this.#console.print('Not connected');
    else if (command !== undefined) await this.#runCommand(command, rest);
  }

  async #runCommand(command: Command, rest: readonly string[]): Promise<void> {
    const { print, complain } = this.#console;
    const words = wordsOf(command, rest, complain);
    await command.run({ print, complain, client: this.#client, watcher: this.#watcher }, words);
  }

  async #runShellCommand(name: string, rest: readonly string[]): Promise<void> {
    const { print } = this.#console;
    const [word] = rest;
    switch (name) {
      case 'quit':
        await this.#client.close();
        this.#quits = true;
        return;
      case 'redo':
        if (word !== undefined) await this.#redo(redoneLine(this.#history, word));
        return;
      case 'history':
        // Of a command line, which has no number.
        if (this.#history.length === 0) print('0 - null');
        this.#history.forEach((line, index) => {
          if (index >= this.#history.length - 1 - HISTORY_SHOWN) print(`${index} - ${line}`);
        });
        return;
      case 'printwatches':
        if (word === undefined) print(`printwatches is ${this.#printsWatches ? 'on' : 'off'}`);
        else this.#printsWatches = word === 'on';
        return;
      default:
        await this.#client.close();
        this.#host = word ?? this.#host;
        this.#client = this.#connect(this.#host);
        if (this.#options.waitsForConnection) {
          await this.#client.connected({ timeoutMs: this.#options.sessionTimeoutMs });
        }
    }
  }

  /** The history shows what was done again, not `redo`, which itself has not failed whatever that comes to. */
  async #redo(line: string): Promise<void> {
    if (this.#history.length > 0) this.#history[this.#history.length - 1] = line;
    await this.run(splitWords(line));
  }

  #connect(host: string): ZookeeperClient {
    const { sessionTimeoutMs, readOnly, login, tls } = this.#options;
    if (login?.failure !== undefined) this.#loginFailed(login.failure);
    const client = connectZookeeper(this.#runtime, {
      connect: host,
      sessionTimeoutMs,
      canBeReadOnly: readOnly,
      failFast: true,
      ...(tls === undefined ? {} : { tls }),
      sasl: login?.sasl,
    });
    client.onState((state) => this.#printEvent(stateEventLine(stateEvents[state])));
    client.onSaslAuthenticated(() => this.#printEvent(stateEventLine('SaslAuthenticated')));
    return client;
  }

  /** As Apache's client: the server may serve us all the same. */
  #loginFailed(failure: string): void {
    this.#console.complain(
      `SASL configuration failed: ${failure}. Will continue connection to Zookeeper server without SASL authentication, ` +
        'if Zookeeper server allows it.',
    );
    this.#printEvent(stateEventLine('AuthFailed'));
  }

  #printEvent(line: string): void {
    if (!this.#printsWatches) return;
    this.#console.print('\nWATCHER::');
    this.#console.print(`\n${line}`);
  }
}

function isOver(state: ClientState): boolean {
  return state === 'expired' || state === 'authFailed' || state === 'closed';
}

function usageRows(): { name: string; line: string }[] {
  const shown = [...commands.values()].filter((command) => command.hidden !== true);
  const rows = [
    ...shown.map((command) => ({ name: command.name, line: usageLine(command) })),
    ...shellCommands.map(({ name, usage }) => ({ name, line: `${name} ${usage}` })),
  ];
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All commands with their words, sorted. */
export function usage(head = 'ZooKeeper -server host:port -client-configuration properties-file cmd args'): string[] {
  return [head, ...usageRows().map(({ line }) => `\t${line}`)];
}

/** What the user did wrong, or the server refused; our own faults pass through. */
function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof KeeperError) return new CliError(errorText(error));
  if (error instanceof InvalidPathError || error instanceof InvalidConnectStringError)
    return new CliError(error.message);
  throw error;
}
