/** One member of an ensemble: a process on its own directory, whose kind may change from one start to the next. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ApacheZookeeper,
  fourLetterWord,
  startApacheZookeeper,
  startServerProcess,
  writeServerFiles,
} from '../peers/apache-zookeeper.ts';
import { PeerError, until } from '../peers/process.ts';

export type MemberKind = 'apache-3.9.4' | 'apache-3.4.8' | 'odradek';
export type Mode = 'leader' | 'follower' | 'observer' | 'standalone' | 'read-only';

export interface MemberOptions {
  readonly id: number;
  readonly kind: MemberKind;
  readonly role?: 'participant' | 'observer';
  readonly dataDir: string;
  /** Of clients. */
  readonly host: string;
  readonly port: number;
  /** Stands before its command line, to run it elsewhere. */
  readonly enter?: readonly string[];
  /** Of zoo.cfg, the `server.N` lines among them. */
  readonly config: Readonly<Record<string, string | number>>;
  /** System properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

const launcher = fileURLToPath(new URL('../../../bin/zookeeper-server-start.sh', import.meta.url));

export class Member {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly dataDir: string;
  readonly port: number;
  readonly connect: string;
  readonly #host: string;
  readonly #enter: readonly string[];
  readonly #config: MemberOptions['config'];
  readonly #properties: NonNullable<MemberOptions['properties']>;
  #kind: MemberKind;
  #server: ApacheZookeeper | undefined;
  #isPaused = false;

  constructor(options: MemberOptions) {
    const { id, kind, role = 'participant', dataDir, host, port, enter = [], config, properties = {} } = options;
    this.id = id;
    this.role = role;
    this.dataDir = dataDir;
    this.port = port;
    this.connect = `${host}:${port}`;
    this.#host = host;
    this.#enter = enter;
    this.#config = config;
    this.#properties = properties;
    this.#kind = kind;
  }

  get kind(): MemberKind {
    return this.#kind;
  }

  get isRunning(): boolean {
    return this.#server?.alive() === true && !this.#isPaused;
  }

  /** `server.N` as the member has it itself. */
  get serverLine(): string {
    return `server.${this.id}=${this.#config[`server.${this.id}`]}`;
  }

  get configFile(): string {
    return join(this.dataDir, 'zoo.cfg');
  }

  /** Of the present kind; starts of the same kind write one after the other. */
  get logFile(): string {
    return join(this.dataDir, this.#kind === 'odradek' ? 'odradek.log' : 'apache-zookeeper.log');
  }

  get name(): string {
    return `member ${this.id} (${this.#kind})`;
  }

  /** Starts the process, as `kind` if given, and resolves once it serves, which takes a quorum. */
  async start(kind: MemberKind = this.#kind): Promise<void> {
    this.#kind = kind;
    this.#isPaused = false;
    const { dataDir, port, id, logFile } = this;
    const files = { dataDir, host: this.#host, config: this.#config, myid: id };
    const place = { dataDir, host: this.#host, enter: this.#enter, port, logFile };
    if (kind === 'odradek') {
      const flags = Object.entries(this.#properties).map(([key, value]) => `-D${key}=${value}`);
      const args = [`SERVER_JVMFLAGS=${flags.join(' ')}`, launcher, writeServerFiles(files, port)];
      const line = { command: 'env', args };
      const server = await startServerProcess(this.name, line, place);
      if (server === 'port taken') throw new PeerError(`the ports of ${this.name} are taken`);
      this.#server = server;
    } else {
      const version = kind === 'apache-3.9.4' ? '3.9.4' : '3.4.8';
      this.#server = await startApacheZookeeper({ ...files, ...place, version, properties: this.#properties });
    }
  }

  /** SIGTERM, then another start. */
  async restart(kind?: MemberKind): Promise<void> {
    await this.stop();
    await this.start(kind);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** SIGKILL, to a paused one too. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  /** SIGSTOP: it keeps its connections and says nothing. */
  pause(): void {
    this.#isPaused = true;
    this.#server?.suspend();
  }

  resume(): void {
    this.#isPaused = false;
    this.#server?.resume();
  }

  ask(word: string): Promise<string> {
    return fourLetterWord(this.port, word, this.#host);
  }

  /** Undefined while it serves nobody. */
  async mode(): Promise<Mode | undefined> {
    if (!this.isRunning) return undefined;
    return /Mode: ([\w-]+)/.exec(await this.ask('srvr').catch(() => ''))?.[1] as Mode | undefined;
  }

  /** Of the last transaction in its tree; undefined while it does not serve. */
  async zxid(): Promise<string | undefined> {
    return /Zxid: (\S+)/.exec(await this.ask('srvr').catch(() => ''))?.[1];
  }

  /** Whether its transaction log holds the text, committed or not. */
  hasLogged(text: string): boolean {
    const dir = join(this.dataDir, 'version-2');
    return readdirSync(dir).some((name) => name.startsWith('log.') && readFileSync(join(dir, name)).includes(text));
  }

  async reached(mode: Mode): Promise<void> {
    await until(
      `mode ${mode} of ${this.name}, see ${this.logFile}`,
      async () => (await this.mode()) === mode || undefined,
    );
  }
}
