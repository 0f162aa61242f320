import { type KafkaBroker, startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { createAdmin } from '../../src/kafka/client/admin.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { simulateZookeeper } from '../../src/testing/simulated-cluster.ts';
import { SimulatedNode } from '../../src/testing/simulated-node.ts';
import { type ConfigKeys, testKafkaConfig } from '../../src/testing/test-keys.ts';
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
import { Verdict } from './verdict.ts';
import { must } from './violation.ts';

const SESSION_TIMEOUT_MS = 6000;
const isolations: readonly Isolation[] = ['read_uncommitted', 'read_committed'];

/**
 * One or two brokers, producers in transactions and their zombies, one that transforms what others commit, and readers of both
 * isolations. Brokers sync before they answer, so that no crash may lose anything.
 */
class TransactionsWorld {
  readonly sim: Simulation;
  readonly #random: SimRandom;
  readonly #history = new TransactionHistory();
  readonly #zookeeper: Supervisor<ZookeeperServer>;
  readonly #brokers: readonly Supervisor<KafkaBroker>[];
  readonly #operator: SimMachine;
  readonly #clients: SimMachine;
  readonly #bootstrap: string;
  readonly #durationMs: number;
  readonly #places: readonly Place[];
  readonly #faults = new Map<string, number>();
  #actors: readonly TransactionalActor[] = [];
  #reader: TransactionReader | undefined;
  readonly #verdict = new Verdict();

  constructor(seed: number, options: RunOptions) {
    this.sim = new Simulation({ seed, onLog: (line) => this.#heard(line, options) });
    this.#random = this.sim.random.fork('transactions world');
    const random = this.#random;
    this.#durationMs = options.durationMs ?? random.between(15_000, 40_000);
    const places = (topic: string): Place[] =>
      Array.from({ length: 1 + random.below(3) }, (_, partition) => ({ topic, partition }));
    this.#places = [...places(SOURCE), ...places(TARGET)];
    const zookeeper = simulateZookeeper(this.sim, { onFatal: (_machine, error) => this.#zookeeper.failed(error) });
    const keys = {
      'log.segment.bytes': random.pick([2_000, 20_000, 1_000_000]),
      'log.index.interval.bytes': random.pick([0, 4096]),
      'log.flush.interval.messages': 1,
      'zookeeper.session.timeout.ms': SESSION_TIMEOUT_MS,
      // A coordinator waits for so long for the answer of a broker that lost its power with a marker: less than a producer does.
      'request.timeout.ms': 4000,
      'auto.create.topics.enable': false,
      'offsets.topic.num.partitions': 1,
      'transaction.state.log.num.partitions': 1 + random.below(2),
      'transaction.state.log.segment.bytes': random.pick([20_000, 1_000_000]),
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    };
    const brokers = Array.from({ length: 1 + random.below(2) }, (_, id) =>
      this.#newBroker(id, `${zookeeper.machine.host}:2181`, keys),
    );
    this.#bootstrap = brokers.map(({ machine }) => `${machine.host}:9092`).join(',');
    this.#operator = this.sim.machine('operator');
    this.#clients = this.sim.machine('clients');
    const { clock } = this.#operator.runtime;
    this.#zookeeper = new Supervisor(zookeeper, clock, this.#verdict, () => zookeeper.machine.disk.repair());
    this.#brokers = brokers.map((node) => new Supervisor(node, clock, this.#verdict, () => node.machine.disk.repair()));
    this.sim.invariant('history', () => this.#verdict.check());
  }

  #newBroker(id: number, connect: string, keys: ConfigKeys): SimulatedNode<KafkaBroker> {
    const machine = this.sim.machine(`broker-${id}`);
    const listener = `PLAINTEXT://${machine.host}:9092`;
    const config = testKafkaConfig('/kafka', connect, listener, {
      'broker.id': id,
      // Little, so that memory is used again all the time.
      'odradek.recent.batches.bytes': 65_536,
      ...keys,
    });
    return new SimulatedNode(this.sim, machine, async (runtime) => {
      const broker = await startKafka(runtime, config);
      void broker.failed.then((error) => this.#brokers[id]!.failed(error));
      return broker;
    });
  }

  get #areBrokersUp(): boolean {
    return this.#brokers.every(({ isUp }) => isUp);
  }

  get drawn(): string {
    const faults = [...this.#faults].map(([name, count]) => `${name} ${count}`).join(', ');
    const { transactions } = this.#history;
    const count = (told: string | undefined): number => transactions.filter((each) => each.told === told).length;
    const lives = this.#actors.reduce((sum, each) => sum + each.lives, 0);
    const starts = this.#brokers.reduce((sum, each) => sum + each.starts, 0);
    return `${this.#brokers.length} brokers, ${this.#places.length} partitions, ${this.#actors.length} transactional ids in ${lives} lives; ${count('committed')} transactions committed, ${count('aborted')} aborted, ${count(undefined)} unknown; ${this.#reader?.read ?? 0} records read, ${starts} broker starts; faults: ${faults}`;
  }

  /** A server that does not start says why. */
  explain(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    const down = this.#brokers.find(({ isUp }) => !isUp);
    return down === undefined ? message : `${down.lastError}\n${message}`;
  }

  async run(): Promise<void> {
    this.#zookeeper.start();
    await this.sim.runUntil(() => this.#zookeeper.isUp, 10_000);
    for (const broker of this.#brokers) broker.start();
    await this.sim.runUntil(() => this.#areBrokersUp, 10_000);
    const admin = createAdmin(this.#clients.runtime, { bootstrapServers: this.#bootstrap });
    const topics = [...Map.groupBy(this.#places, ({ topic }) => topic)];
    const leaderOf = (partition: number): number => partition % this.#brokers.length;
    await this.sim.complete(
      admin.createTopics(
        topics.map(([name, group]) => ({ name, assignment: group.map(({ partition }) => [leaderOf(partition)]) })),
      ),
    );
    admin.close();
    this.#startActors();
    while (this.sim.nowMs < this.#durationMs) {
      await this.sim.runFor(this.#random.between(50, 2500));
      this.#strike();
    }
    await this.#converge();
    await this.#audit();
    for (const kind of ['process', 'power'] as const) {
      for (const broker of this.#brokers) broker.crash(kind, 500);
      await this.sim.runUntil(() => this.#areBrokersUp, 60_000);
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
      violated: this.#verdict.violated,
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
    for (const actor of [...this.#actors, this.#reader]) actor.run().catch(this.#verdict.violated);
  }

  // ---------------------------------------------------------------- faults

  #strike(): void {
    const random = this.#random;
    const broker = random.pick(this.#brokers);
    const { machine } = broker.node;
    const zookeeper = this.#zookeeper.node.machine;
    const faults: Readonly<Record<string, () => void>> = {
      'broker process crash': () => broker.crash('process', random.between(50, 3000)),
      'broker power crash': () => broker.crash('power', random.between(50, 3000)),
      'crash at an operation of the disk': () => this.#crashAtOperation(broker, random.pick(['process', 'power'])),
      'broker crash beyond its session': () => broker.crash('process', SESSION_TIMEOUT_MS * 2),
      'ZooKeeper crash': () => this.#zookeeper.crash(random.pick(['process', 'power']), random.between(1, 4000)),
      'client partition': () => this.#partition(machine, this.#clients, random.between(20, 5000)),
      'brokers partition': () =>
        this.#partition(machine, random.pick(this.#brokers).node.machine, random.between(20, 5000)),
      'broker stall': () => machine.stall(random.between(50, 1.5 * SESSION_TIMEOUT_MS)),
      reset: () => this.sim.network.resetBetween(this.#clients, machine),
      'append fails': () => this.#breakDisk(broker, () => machine.disk.failNext({ operation: 'append', code: 'EIO' })),
      'sync fails': () =>
        this.#breakDisk(broker, () =>
          machine.disk.failNext({ operation: 'sync', code: 'EIO', path: random.pick(['', '.log']) }),
        ),
      'clock jump': () => machine.clockJump(Math.floor(random.between(-100_000, 100_000))),
    };
    const name = random.pick(Object.keys(faults));
    if (!machine.alive || !zookeeper.alive) return;
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
    faults[name]?.();
  }

  /** In place of one of the next operations that change the disk; half of the time the producers die with it. */
  #crashAtOperation(broker: Supervisor<KafkaBroker>, kind: 'process' | 'power'): void {
    const downMs = this.#random.between(50, 1000);
    const isAlone = this.#random.chance(0.5);
    const act = (): void => {
      broker.crash(kind, downMs);
      if (!isAlone) for (const actor of this.#actors) actor.kill();
    };
    broker.node.machine.disk.setTrap({ at: 1 + this.#random.below(40), changesOnly: true, act });
  }

  #partition(one: SimMachine, other: SimMachine, ms: number): void {
    if (one === other) return;
    const [from, to] = this.#random.chance(0.5) ? [one, other] : [other, one];
    this.sim.network.partition(from, to, { oneWay: this.#random.chance(0.4) });
    this.#later(ms, () => this.sim.network.heal(one, other));
  }

  /** The log dir goes offline, and an operator mends the disk and starts the broker again. */
  #breakDisk(broker: Supervisor<KafkaBroker>, act: () => void): void {
    act();
    const { machine } = broker.node;
    this.#later(2000, () => {
      machine.disk.repair();
      if (machine.alive) broker.crash('process', 100);
    });
  }

  #later(ms: number, act: () => void): void {
    this.#verdict.later(this.#operator.runtime.clock, ms, act);
  }

  // ---------------------------------------------------------------- what must hold

  #heard(line: string, { onLog }: RunOptions): void {
    onLog?.(line);
    this.#verdict.heard(line);
  }

  /** Faults off: everybody comes to an end, and each transactional id gets on. */
  async #converge(): Promise<void> {
    this.sim.network.heal();
    await this.sim.runFor(16_000);
    for (const { node } of this.#brokers) node.machine.disk.repair();
    await this.sim.runUntil(() => this.#zookeeper.isUp && this.#areBrokersUp, 60_000);
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
