import { posix } from 'node:path';
import { type ZooCfg, zooCfg } from '../../../config/zoo-cfg.ts';
import type { ConnectOptions } from '../../../runtime/network.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { connectZookeeper, type ZookeeperClient } from '../../client/client.ts';
import type { ZookeeperClientOptions } from '../../client/client-options.ts';
import { startZookeeper } from '../../ensemble/start-zookeeper.ts';
import type { ZookeeperServer } from '../zookeeper-server.ts';
import { type Hello, RawClient } from './raw-client.ts';

export interface ServerWorldOptions {
  readonly seed?: number | string;
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  readonly properties?: Readonly<Record<string, string>>;
  /** On the server's disk before its start, by absolute path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly onLog?: (line: string) => void;
}

/** One server on a machine of its own in a simulated world, and clients on another. */
export class ServerWorld {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  readonly clients: SimMachine;
  readonly fatal: unknown[] = [];
  readonly logged: string[] = [];
  readonly #config: ZooCfg;
  server!: ZookeeperServer;

  private constructor(options: ServerWorldOptions) {
    this.sim = new Simulation({
      seed: options.seed ?? 7,
      onLog: (line) => {
        this.logged.push(line);
        options.onLog?.(line);
      },
    });
    this.machine = this.sim.machine('server');
    this.clients = this.sim.machine('clients');
    this.#config = zooCfg(
      { dataDir: '/data', clientPort: 2181, tickTime: 1000, '4lw.commands.whitelist': '*', ...options.config },
      options.properties,
    );
  }

  static async start(options: ServerWorldOptions = {}): Promise<ServerWorld> {
    const world = new ServerWorld(options);
    const { disk } = world.machine.runtime;
    for (const [path, bytes] of Object.entries(options.files ?? {})) {
      disk.makeDirectory(posix.dirname(path));
      disk.writeFile(path, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    }
    await world.startServer();
    return world;
  }

  async startServer(): Promise<void> {
    this.server = await this.sim.complete(
      startZookeeper(this.machine.runtime, this.#config, { onFatal: (error) => this.fatal.push(error) }),
    );
  }

  /** A crash and a new start on what it left. */
  async crash(kind: 'process' | 'power'): Promise<void> {
    this.machine.crash(kind);
    this.machine.restart();
    await this.startServer();
  }

  /** A connection that is not made yet. */
  connectLater(port = 2181, options?: ConnectOptions): RawClient {
    return new RawClient(this.clients.runtime, { host: this.machine.host, port }, options);
  }

  /** A connection without a session. */
  async connect(port = 2181, options?: ConnectOptions): Promise<RawClient> {
    const client = this.connectLater(port, options);
    await this.sim.runUntil(() => client.isConnected, 10_000);
    return client;
  }

  /** Whether nobody listens any more. */
  async connectRefused(): Promise<boolean> {
    const client = new RawClient(this.clients.runtime, { host: this.machine.host, port: 2181 });
    await this.sim.runUntil(() => client.isConnected || client.isClosed, 10_000);
    return client.closedBy?.code === 'ECONNREFUSED';
  }

  /** A connection with a session. */
  async open(hello: Hello = {}): Promise<RawClient> {
    const client = await this.connect();
    client.hello(hello);
    await this.sim.runUntil(() => client.session !== undefined, 10_000);
    return client;
  }

  client(options: Partial<ZookeeperClientOptions> = {}): ZookeeperClient {
    return connectZookeeper(this.clients.runtime, { connect: `${this.machine.host}:2181`, ...options });
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise);
  }

  until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    return this.sim.runUntil(condition, limitMs);
  }
}
