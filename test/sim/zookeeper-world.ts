import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { simulateZookeeper } from '../../src/testing/simulated-cluster.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import { type Outcome, outcomeOf, type RunOptions } from './outcome.ts';
import { Supervisor } from './supervisor.ts';
import { Verdict } from './verdict.ts';
import { must, Violation } from './violation.ts';
import { ZookeeperActor } from './zookeeper-actor.ts';
import { hex, ZookeeperHistory } from './zookeeper-history.ts';

const TICK_MS = 500;

/** One ZooKeeper, several clients, and everything that can go wrong between and below them. */
class ZookeeperWorld {
  readonly sim: Simulation;
  readonly #random: SimRandom;
  readonly #history = new ZookeeperHistory();
  readonly #server: Supervisor<ZookeeperServer>;
  readonly #actors: ZookeeperActor[] = [];
  readonly #connect: string;
  readonly #registers: readonly string[];
  readonly #sessionTimeoutMs: number;
  readonly #durationMs: number;
  readonly #faults = new Map<string, number>();
  /** The next failed sync takes the machine with it. */
  #losesPower = false;
  readonly #verdict = new Verdict();

  constructor(seed: number, options: RunOptions) {
    this.sim = new Simulation({ seed, onLog: (line) => this.#heard(line, options) });
    this.#random = this.sim.random.fork('zookeeper world');
    const random = this.#random;
    this.#durationMs = options.durationMs ?? random.between(20_000, 60_000);
    this.#sessionTimeoutMs = random.pick([4000, 6000, 9000]);
    this.#registers = Array.from({ length: 2 + random.below(4) }, (_, index) => `/r${index}`);
    const snapCount = random.pick([20, 200, 100_000]);
    const node = simulateZookeeper(this.sim, {
      zookeeper: { tickTime: TICK_MS, snapCount, preAllocSize: 64 },
      onFatal: (_machine, error) => this.#failed(error),
    });
    const operator = this.sim.machine('operator');
    this.#server = new Supervisor(node, operator.runtime.clock, this.#verdict, () => node.machine.disk.repair());
    this.#connect = `${node.machine.host}:2181`;
    this.sim.invariant('history', () => this.#verdict.check());
  }

  get drawn(): string {
    const { acknowledged, unknown, reads } = this.#history;
    const faults = [...this.#faults].map(([name, count]) => `${name} ${count}`).join(', ');
    const sessions = this.#actors.reduce((sum, actor) => sum + actor.sessions, 0);
    return `${this.#actors.length} clients, ${this.#registers.length} registers, timeout ${this.#sessionTimeoutMs} ms; ${acknowledged} writes acknowledged, ${unknown} unknown, ${reads} reads, ${sessions} sessions, ${this.#server.starts} starts; faults: ${faults}`;
  }

  /** A server that does not start says why. */
  explain(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return this.#server.isUp ? message : `${this.#server.lastError}\n${message}`;
  }

  async run(): Promise<void> {
    this.#server.start();
    await this.sim.runUntil(() => this.#server.isUp, 10_000);
    await this.#prepare();
    this.#startActors();
    while (this.sim.nowMs < this.#durationMs) {
      await this.sim.runFor(this.#random.between(50, 2500));
      this.#strike();
    }
    await this.#converge();
    await this.#checkAll('when all was quiet');
    this.#server.crash('power', 10);
    await this.sim.runUntil(() => !this.#server.isUp, 1000);
    await this.sim.runUntil(() => this.#server.isUp, 30_000);
    await this.#checkAll('after a last power failure');
  }

  async #prepare(): Promise<void> {
    const client = this.#fresh('setup');
    for (const path of ['/q', '/e', ...this.#registers])
      await this.sim.complete(client.create(path, `initial ${path}`));
    await this.sim.complete(client.close());
  }

  #fresh(name: string): ZookeeperClient {
    const machine = [...this.sim.machines].find((each) => each.name === name) ?? this.sim.machine(name);
    return connectZookeeper(machine.runtime, { connect: this.#connect, sessionTimeoutMs: 10_000 });
  }

  #startActors(): void {
    const count = 2 + this.#random.below(4);
    const largeShare = this.#random.pick([0.02, 0.2, 0.9]);
    for (let index = 0; index < count; index += 1) {
      const name = `c${index}`;
      const actor = new ZookeeperActor({
        name,
        machine: this.sim.machine(name),
        connect: this.#connect,
        sessionTimeoutMs: this.#sessionTimeoutMs,
        registers: this.#registers,
        history: this.#history,
        random: this.#random.fork(name),
        inFlightMax: this.#random.pick([1, 3, 12]),
        largeShare,
        violated: this.#verdict.violated,
        nowMs: () => this.sim.nowMs,
      });
      this.#actors.push(actor);
      actor.run().catch(this.#verdict.violated);
    }
  }

  // ---------------------------------------------------------------- faults

  #strike(): void {
    const random = this.#random;
    const { machine } = this.#server.node;
    const faults: Readonly<Record<string, () => void>> = {
      'process crash': () => this.#server.crash('process', random.between(1, 1500)),
      'power crash': () => this.#server.crash('power', random.between(1, 1500)),
      stall: () => machine.stall(random.between(50, 1.5 * this.#sessionTimeoutMs)),
      'long stall': () => machine.stall(random.between(1, 1.2) * this.#sessionTimeoutMs),
      partition: () => this.#partition(random.between(20, 1.5 * this.#sessionTimeoutMs)),
      reset: () => this.#reset(),
      slow: () => this.#slow(),
      'sync fails': () => machine.disk.failNext({ operation: 'sync', code: 'EIO' }),
      'sync fails, then the power': () => {
        this.#losesPower = true;
        machine.disk.failNext({ operation: 'sync', code: 'EIO', path: '/log.' });
      },
      'append fails': () => machine.disk.failNext({ operation: 'append', code: 'EIO' }),
      'disk full': () => this.#fillDisk(),
      'clock jump': () => machine.clockJump(Math.floor(random.between(-100_000, 100_000))),
    };
    const name = random.pick(Object.keys(faults));
    if (!machine.alive && name !== 'partition' && name !== 'slow') return;
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
    faults[name]?.();
  }

  #anyActor(): ZookeeperActor {
    return this.#random.pick(this.#actors);
  }

  #partition(ms: number): void {
    const actor = this.#anyActor();
    const { machine } = actor.options;
    const server = this.#server.node.machine;
    this.sim.network.partition(machine, server, { oneWay: this.#random.chance(0.3) });
    // After it heals, what was lost is sent again within about as long.
    this.#unheard(actor, 2 * ms + 500);
    this.#later(ms, () => this.sim.network.heal(machine, server));
  }

  #slow(): void {
    const actor = this.#anyActor();
    const { machine } = actor.options;
    const server = this.#server.node.machine;
    this.sim.network.slow(machine, server, { extraMs: this.#random.between(5, 200), bytesPerMs: 200 });
    this.#unheard(actor, 3500);
    this.#later(3000, () => this.sim.network.slow(machine, server, {}));
  }

  #fillDisk(): void {
    const { disk } = this.#server.node.machine;
    disk.fill(this.#random.below(8) * 4096);
    this.#later(1500, () => disk.repair());
  }

  #later(ms: number, act: () => void): void {
    const operator = [...this.sim.machines].find(({ name }) => name === 'operator')!;
    operator.runtime.clock.after(ms, act);
  }

  #reset(): void {
    const actor = this.#anyActor();
    this.#unheard(actor, 100);
    this.sim.network.resetBetween(actor.options.machine, this.#server.node.machine);
  }

  #unheard(actor: ZookeeperActor, ms: number): void {
    actor.unheardUntilMs = Math.max(actor.unheardUntilMs, this.sim.nowMs + ms);
  }

  /** The server gave up. Some disks die together with their machine: of the last batch any page may be missing then. */
  #failed(error: unknown): void {
    if (this.#losesPower) this.#server.node.crash('power');
    this.#losesPower = false;
    this.#server.failed(error);
  }

  // ---------------------------------------------------------------- what must hold

  /** The server says when it gives up a session. Its client must really have been silent: a stall of the server is no reason. */
  #heard(line: string, { onLog }: RunOptions): void {
    onLog?.(line);
    this.#verdict.heard(line);
    if (line.includes('Digests are not matching'))
      this.#verdict.violated(new Violation('a recovered tree is not its log'));
    const expired = /Expiring session (0x[0-9a-f]+),/.exec(line)?.[1];
    if (expired === undefined) return;
    const actor = this.#actors.find(({ client }) => hex(client.sessionId) === expired);
    if (actor === undefined || actor.sentMs < actor.unheardUntilMs) return;
    const silentMs = this.sim.nowMs - actor.sentMs;
    // Deadlines are rounded up, and what the network lost or delayed does not count here.
    if (silentMs > 0.9 * this.#sessionTimeoutMs) return;
    this.#verdict.violated(
      new Violation(`the session of ${actor.options.name} is expired, and it spoke ${silentMs} ms ago`),
    );
  }

  /** Faults off: everybody comes back. */
  async #converge(): Promise<void> {
    const { machine } = this.#server.node;
    machine.disk.repair();
    this.sim.network.heal();
    for (const actor of this.#actors) {
      this.sim.network.slow(actor.options.machine, machine, {});
      actor.stop();
    }
    if (!machine.alive) this.#server.start();
    await this.sim.runFor(15_000);
    const isQuiet = (): boolean =>
      this.#server.isUp &&
      this.#actors.every(({ client, inFlight }) => inFlight === 0 && client.state !== 'disconnected');
    await this.sim.runUntil(isQuiet, 60_000);
    // Sessions that nobody holds any more are over by then.
    await this.sim.runFor(2 * this.#sessionTimeoutMs);
  }

  async #checkAll(when: string): Promise<void> {
    const history = this.#history;
    const client = this.#fresh('auditor');
    const complete = <T>(promise: Promise<T>): Promise<T> => this.sim.complete(promise);
    for (const path of this.#registers) {
      const { data, stat } = await complete(client.getData(path));
      history.saw(path, stat, String(data), history.register(path).newest);
      for (const { watches, client: watcher, options } of this.#actors) {
        if (watcher.state !== 'connected') continue;
        for (const watch of watches.filter((each) => each.path === path)) {
          must(
            watch.isFired || watch.mzxid === stat.mzxid,
            () => `${options.name} was never told that ${path} changed`,
          );
          must(!watch.isFired || watch.mzxid < stat.mzxid, () => `${options.name} was told of no change of ${path}`);
        }
      }
    }
    const items = new Map<string, { label: string; czxid: bigint }>();
    for (const name of await complete(client.getChildren('/q'))) {
      const { data, stat } = await complete(client.getData(`/q/${name}`));
      items.set(`/q/${name}`, { label: String(data), czxid: stat.czxid });
    }
    history.checkItems(items);
    await this.#checkEphemerals(client, when);
    await complete(client.close());
  }

  async #checkEphemerals(client: ZookeeperClient, when: string): Promise<void> {
    const alive = new Map(
      this.#actors
        .filter((actor) => actor.client.state === 'connected')
        .map((actor) => [actor.client.sessionId, actor]),
    );
    const found = new Set<string>();
    for (const name of await this.sim.complete(client.getChildren('/e'))) {
      const path = `/e/${name}`;
      const stat = await this.sim.complete(client.exists(path));
      if (stat === undefined) continue;
      found.add(path);
      this.#history.ephemeralSeen(path, true, when);
      const owner = stat.ephemeralOwner;
      if (when === 'when all was quiet') must(alive.has(owner), () => `${path} outlives its session ${hex(owner)}`);
    }
    for (const actor of alive.values()) {
      for (const path of actor.ephemerals) must(found.has(path), () => `${path} is gone, and its session lives`);
    }
  }
}

export function runZookeeperWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return outcomeOf('zookeeper', seed, new ZookeeperWorld(seed, options));
}
