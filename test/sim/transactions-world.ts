import type { KafkaBroker } from '../../src/kafka/broker/kafka-broker.ts';
import { createAdmin } from '../../src/kafka/client/admin.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { simulateBroker, simulateZookeeper } from '../../src/testing/simulated-cluster.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import { type Outcome, outcomeOf, type RunOptions } from './outcome.ts';
import { Supervisor } from './supervisor.ts';
import {
  SOURCE,
  TARGET,
  type TransactionActorOptions,
  TransactionalActor,
  TransformingWork,
  WritingWork,
} from './transaction-actors.ts';
import { type Isolation, TransactionHistory } from './transaction-history.ts';
import { type Place, TransactionReader } from './transaction-reader.ts';
import { must } from './violation.ts';

const SESSION_TIMEOUT_MS = 6000;
const isolations: readonly Isolation[] = ['read_uncommitted', 'read_committed'];

/**
 * A broker, producers in transactions and their zombies, one that transforms what others commit, and readers of both isolations.
 * The broker syncs before it answers, so that no crash may lose anything.
 */
class TransactionsWorld {
  readonly sim: Simulation;
  readonly #random: SimRandom;
  readonly #history = new TransactionHistory();
  readonly #zookeeper: Supervisor<ZookeeperServer>;
  readonly #broker: Supervisor<KafkaBroker>;
  readonly #operator: SimMachine;
  readonly #clients: SimMachine;
  readonly #bootstrap: string;
  readonly #durationMs: number;
  readonly #places: readonly Place[];
  readonly #faults = new Map<string, number>();
  #actors: readonly TransactionalActor[] = [];
  #reader: TransactionReader | undefined;
  #violation: unknown;

  constructor(seed: number, options: RunOptions) {
    this.sim = new Simulation({ seed, onLog: options.onLog });
    this.#random = this.sim.random.fork('transactions world');
    const random = this.#random;
    this.#durationMs = options.durationMs ?? random.between(15_000, 40_000);
    const places = (topic: string): Place[] =>
      Array.from({ length: 1 + random.below(3) }, (_, partition) => ({ topic, partition }));
    this.#places = [...places(SOURCE), ...places(TARGET)];
    const zookeeper = simulateZookeeper(this.sim, { onFatal: (_machine, error) => this.#zookeeper.failed(error) });
    const broker = simulateBroker(this.sim, `${zookeeper.machine.host}:2181`, {
      kafka: {
        'log.segment.bytes': random.pick([2_000, 20_000, 1_000_000]),
        'log.index.interval.bytes': random.pick([0, 4096]),
        'log.flush.interval.messages': 1,
        'zookeeper.session.timeout.ms': SESSION_TIMEOUT_MS,
        'auto.create.topics.enable': false,
        'offsets.topic.num.partitions': 1,
        'transaction.state.log.num.partitions': 1 + random.below(2),
        'transaction.state.log.segment.bytes': random.pick([20_000, 1_000_000]),
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
      },
      onFatal: (_machine, error) => this.#broker.failed(error),
    });
    this.#bootstrap = `${broker.machine.host}:9092`;
    this.#operator = this.sim.machine('operator');
    this.#clients = this.sim.machine('clients');
    const { clock } = this.#operator.runtime;
    this.#zookeeper = new Supervisor(zookeeper, clock, () => zookeeper.machine.disk.repair());
    this.#broker = new Supervisor(broker, clock, () => broker.machine.disk.repair());
    this.sim.invariant('history', () => {
      if (this.#violation !== undefined) throw this.#violation;
    });
  }

  get drawn(): string {
    const faults = [...this.#faults].map(([name, count]) => `${name} ${count}`).join(', ');
    const { transactions } = this.#history;
    const count = (told: string | undefined): number => transactions.filter((each) => each.told === told).length;
    const lives = this.#actors.reduce((sum, each) => sum + each.lives, 0);
    return `${this.#places.length} partitions, ${this.#actors.length} transactional ids in ${lives} lives; ${count('committed')} transactions committed, ${count('aborted')} aborted, ${count(undefined)} unknown; ${this.#reader?.read ?? 0} records read, ${this.#broker.starts} broker starts; faults: ${faults}`;
  }

  /** A server that does not start says why. */
  explain(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return this.#broker.isUp ? message : `${this.#broker.lastError}\n${message}`;
  }

  async run(): Promise<void> {
    this.#zookeeper.start();
    await this.sim.runUntil(() => this.#zookeeper.isUp, 10_000);
    this.#broker.start();
    await this.sim.runUntil(() => this.#broker.isUp, 10_000);
    const admin = createAdmin(this.#clients.runtime, { bootstrapServers: this.#bootstrap });
    const topics = [...Map.groupBy(this.#places, ({ topic }) => topic)];
    await this.sim.complete(admin.createTopics(topics.map(([name, group]) => ({ name, partitions: group.length }))));
    admin.close();
    this.#startActors();
    while (this.sim.nowMs < this.#durationMs) {
      await this.sim.runFor(this.#random.between(50, 2500));
      this.#strike();
    }
    await this.#converge();
    await this.#audit();
    for (const kind of ['process', 'power'] as const) {
      this.#broker.crash(kind, 500);
      await this.sim.runUntil(() => this.#broker.isUp, 60_000);
      await this.#audit();
    }
  }

  #startActors(): void {
    const of = (topic: string): number[] =>
      this.#places.filter((place) => place.topic === topic).map(({ partition }) => partition);
    const options: TransactionActorOptions = {
      machine: this.#clients,
      bootstrap: this.#bootstrap,
      random: this.#random.fork('actors'),
      history: this.#history,
      violated: (error) => this.#violated(error),
      sources: of(SOURCE),
      targets: of(TARGET),
      transactionTimeoutMs: this.#random.pick([2500, 6000, 20_000]),
    };
    const optionsOf = (name: string): TransactionActorOptions => ({ ...options, random: this.#random.fork(name) });
    const writers = ['w0', 'w1', ...(this.#random.chance(0.5) ? ['w2'] : [])].map(
      (name) => new TransactionalActor(name, () => new WritingWork(optionsOf(name)), optionsOf(name)),
    );
    const transformer = new TransactionalActor('t0', () => new TransformingWork(optionsOf('t0')), optionsOf('t0'));
    this.#actors = [...writers, transformer];
    this.#reader = new TransactionReader(this.#places, optionsOf('reader'));
    for (const actor of [...this.#actors, this.#reader]) actor.run().catch((error) => this.#violated(error));
  }

  #violated(error: unknown): void {
    this.#violation ??= error;
  }

  // ---------------------------------------------------------------- faults

  #strike(): void {
    const random = this.#random;
    const { machine } = this.#broker.node;
    const zookeeper = this.#zookeeper.node.machine;
    const faults: Readonly<Record<string, () => void>> = {
      'broker process crash': () => this.#broker.crash('process', random.between(50, 3000)),
      'broker power crash': () => this.#broker.crash('power', random.between(50, 3000)),
      'crash at an operation of the disk': () => this.#crashAtOperation(random.pick(['process', 'power'])),
      'broker crash beyond its session': () => this.#broker.crash('process', SESSION_TIMEOUT_MS * 2),
      'ZooKeeper crash': () => this.#zookeeper.crash(random.pick(['process', 'power']), random.between(1, 4000)),
      'client partition': () => this.#partition(random.between(20, 5000)),
      'broker stall': () => machine.stall(random.between(50, 1.5 * SESSION_TIMEOUT_MS)),
      reset: () => this.sim.network.resetBetween(this.#clients, machine),
      'append fails': () => this.#breakDisk(() => machine.disk.failNext({ operation: 'append', code: 'EIO' })),
      'sync fails': () =>
        this.#breakDisk(() =>
          machine.disk.failNext({ operation: 'sync', code: 'EIO', path: random.pick(['', '.log']) }),
        ),
      'clock jump': () => machine.clockJump(Math.floor(random.between(-100_000, 100_000))),
    };
    const name = random.pick(Object.keys(faults));
    if (!machine.alive || !zookeeper.alive) return;
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
    faults[name]?.();
  }

  /** In place of one of the next operations that change the disk. */
  #crashAtOperation(kind: 'process' | 'power'): void {
    const downMs = this.#random.between(50, 1000);
    const act = (): void => this.#broker.crash(kind, downMs);
    this.#broker.node.machine.disk.setTrap({ at: 1 + this.#random.below(40), changesOnly: true, act });
  }

  #partition(ms: number): void {
    const { machine } = this.#broker.node;
    const oneWay = this.#random.chance(0.4);
    if (this.#random.chance(0.5)) this.sim.network.partition(machine, this.#clients, { oneWay });
    else this.sim.network.partition(this.#clients, machine, { oneWay });
    this.#later(ms, () => this.sim.network.heal(machine, this.#clients));
  }

  /** The log dir goes offline, and an operator mends the disk and starts the broker again. */
  #breakDisk(act: () => void): void {
    act();
    const { machine } = this.#broker.node;
    this.#later(2000, () => {
      machine.disk.repair();
      if (machine.alive) this.#broker.crash('process', 100);
    });
  }

  #later(ms: number, act: () => void): void {
    this.#operator.runtime.clock.after(ms, () => {
      try {
        act();
      } catch (error) {
        this.#violated(error);
      }
    });
  }

  // ---------------------------------------------------------------- what must hold

  /** Faults off: everybody comes to an end, and each transactional id gets on. */
  async #converge(): Promise<void> {
    this.sim.network.heal();
    await this.sim.runFor(16_000);
    this.#broker.node.machine.disk.repair();
    await this.sim.runUntil(() => this.#zookeeper.isUp && this.#broker.isUp, 60_000);
    for (const actor of this.#actors) actor.stop();
    await this.sim.runUntil(() => this.#actors.every(({ isDone }) => isDone), 120_000);
    for (const actor of this.#actors) {
      const life = actor.newLife();
      life.isStopping = true;
      await this.sim.complete(life.run(), 30_000);
      must(life.isBegun, () => `${actor.owner} gets no producer id when all is well`);
    }
    this.#reader?.stop();
  }

  async #audit(): Promise<void> {
    const reader = this.#reader!;
    for (const place of this.#places) {
      const name = `${place.topic}-${place.partition}`;
      for (const isolation of isolations) {
        const found = await this.sim.complete(reader.readAll(place, isolation), 120_000);
        this.#history.auditPartition(name, isolation, found);
      }
    }
    this.#history.auditTransactions();
    const offsets = await this.sim.complete(reader.persistently(() => reader.groupOffsets()));
    for (const { topic, partition } of this.#places) {
      if (topic !== SOURCE) continue;
      const name = `${topic}-${partition}`;
      this.#history.auditTransformed(name, offsets.get(name) ?? 0);
    }
  }
}

export function runTransactionsWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return outcomeOf('transactions', seed, new TransactionsWorld(seed, options));
}
