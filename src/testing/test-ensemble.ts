import { type Log, silent } from '../runtime/log.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { startZookeeper } from '../zookeeper/ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper/server/zookeeper-server.ts';
import { type EnsembleSize, type MemberRole, memberKeys, memberRoles } from './ensemble-keys.ts';
import { claimPorts, type MemberPorts } from './member-ports.ts';
import { type TestDirectory, testDirectory } from './temporary-directory.ts';
import type { TestZookeeperOptions } from './test-cluster.ts';
import { type ConfigKeys, testZooCfg } from './test-keys.ts';

const HOST = '127.0.0.1';
const POLL_MS = 10;

/** Keys of zoo.cfg (`zookeeper`) are for all members. */
export interface TestEnsembleOptions extends TestZookeeperOptions, EnsembleSize {}

/** One server of an ensemble, on its ports and its directory, started or not. */
export interface TestMember {
  readonly id: number;
  readonly role: MemberRole;
  /** What a client's connect string says to reach this one alone. */
  readonly connect: string;
  readonly port: number;
  /** Undefined while it is stopped. `server.view.mode` says what it is: leader, follower, observer, looking. */
  readonly server: ZookeeperServer | undefined;
  /** Its connections break and its ports are closed, without a word to the others; what it acknowledged is on its disk. */
  stop(): Promise<void>;
  /** Starts it again on what it left. Resolves when it runs; it serves once it has found the others (`serving`). */
  start(): Promise<void>;
}

/** An ensemble on free ports of this machine, in this process. */
export interface TestEnsemble {
  /** What a client's connect string says to reach them all. */
  readonly connect: string;
  /** By id, from 1: participants, then observers. */
  readonly members: readonly TestMember[];
  /** Who leads and serves now; undefined while nobody does. */
  leader(): TestMember | undefined;
  /**
   * Waits until one leads and every member that is started serves; answers the leader.
   * @throws NotServingError after `limitMs`, 30 seconds by default
   */
  serving(limitMs?: number): Promise<TestMember>;
  /** Stops all and removes what they left, unless the directory was given. */
  close(): Promise<void>;
}

/** An ensemble did not come to serve in the time that it had. */
export class NotServingError extends Error {
  constructor(limitMs: number, modes: readonly string[]) {
    super(`no ensemble serves after ${limitMs} ms: ${modes.join(', ')}`);
    this.name = 'NotServingError';
  }
}

/** Resolves when all members serve. @throws RangeError, ConfigError, DiskError, NetworkError, NotServingError */
export async function startTestEnsemble(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const roles = memberRoles(options);
  const runtime = nodeRuntime({ log: options.log ?? silent });
  const ensemble = new Ensemble(runtime, testDirectory(runtime, options.directory));
  try {
    await ensemble.open(roles, options.zookeeper);
    await ensemble.serving();
    return ensemble;
  } catch (error) {
    await ensemble.close();
    throw error;
  }
}

class Ensemble implements TestEnsemble {
  readonly #runtime: Runtime;
  readonly #directory: TestDirectory;
  readonly #ports = new Map<number, MemberPorts>();
  #members: Member[] = [];
  #closing: Promise<void> | undefined;

  constructor(runtime: Runtime, directory: TestDirectory) {
    this.#runtime = runtime;
    this.#directory = directory;
  }

  async open(roles: ReadonlyMap<number, MemberRole>, zookeeper: ConfigKeys | undefined): Promise<void> {
    for (const id of roles.keys()) this.#ports.set(id, await claimPorts(this.#runtime, HOST));
    const placeOf = (id: number) => ({ host: HOST, ...(this.#ports.get(id) as MemberPorts) });
    this.#members = [...roles].map(([id, role]) => {
      const runtime = { ...this.#runtime, log: logOf(this.#runtime.log, `zk${id}`) };
      const keys = { clientPortAddress: HOST, ...memberKeys(id, roles, placeOf), ...zookeeper };
      const directory = `${this.#directory.path}/zk${id}`;
      return new Member({ id, role, port: placeOf(id).clientPort, directory, keys, runtime });
    });
    await Promise.all(this.#members.map((member) => member.start()));
  }

  get members(): readonly TestMember[] {
    return this.#members;
  }

  get connect(): string {
    return this.#members.map(({ connect }) => connect).join();
  }

  leader(): TestMember | undefined {
    return this.#members.find(({ server }) => server?.view.mode === 'leader');
  }

  async serving(limitMs = 30_000): Promise<TestMember> {
    const { clock } = this.#runtime;
    const untilMs = clock.monotonicMs() + limitMs;
    for (;;) {
      const leader = this.leader();
      const modes = this.#members.map(({ server }) => server?.view.mode ?? 'stopped');
      if (leader !== undefined && !modes.includes('looking')) return leader;
      if (clock.monotonicMs() > untilMs) throw new NotServingError(limitMs, modes);
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
    for (const ports of this.#ports.values()) await ports.release();
    this.#directory.release();
  }
}

/** Lines say whose they are: all members share one log. */
function logOf(log: Log, member: string): Log {
  const own = log.named(member);
  return {
    debug: (message, fields) => own.debug(message, fields),
    info: (message, fields) => own.info(message, fields),
    warn: (message, fields) => own.warn(message, fields),
    error: (message, fields) => own.error(message, fields),
    named: (component) => log.named(`${member}.${component}`),
  };
}

interface MemberOptions {
  readonly id: number;
  readonly role: MemberRole;
  readonly port: number;
  readonly directory: string;
  readonly keys: ConfigKeys;
  readonly runtime: Runtime;
}

class Member implements TestMember {
  readonly id: number;
  readonly role: MemberRole;
  readonly port: number;
  readonly #options: MemberOptions;
  #server: ZookeeperServer | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.role = options.role;
    this.port = options.port;
    this.#options = options;
  }

  get connect(): string {
    return `${HOST}:${this.port}`;
  }

  get server(): ZookeeperServer | undefined {
    return this.#server;
  }

  start(): Promise<void> {
    return this.#next(async () => {
      if (this.#server !== undefined) return;
      const { runtime, directory, keys, id } = this.#options;
      runtime.disk.makeDirectory(directory);
      runtime.disk.writeFile(`${directory}/myid`, Buffer.from(`${id}\n`));
      this.#server = await startZookeeper(runtime, testZooCfg(directory, keys));
    });
  }

  stop(): Promise<void> {
    return this.#next(async () => {
      const server = this.#server;
      this.#server = undefined;
      await server?.close();
    });
  }

  /** Starts and stops happen one after the other, as they were asked for. */
  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
