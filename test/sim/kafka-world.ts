import type { KafkaBroker } from '../../src/kafka/broker/kafka-broker.ts';
import { createAdmin } from '../../src/kafka/client/admin.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { simulateBroker, simulateZookeeper } from '../../src/testing/simulated-cluster.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import type { ZookeeperServer } from '../../src/zookeeper/server/zookeeper-server.ts';
import { CommitActor, FetchActor, type KafkaActorOptions, ProducerActor } from './kafka-actors.ts';
import { checkBatches, checkIndexes } from './log-files.ts';
import { type Outcome, outcomeOf, type RunOptions } from './outcome.ts';
import { PartitionHistory } from './partition-history.ts';
import { Supervisor } from './supervisor.ts';
import { SHORT_LIVED_TOPIC, TopicActor } from './topic-actor.ts';
import { Verdict } from './verdict.ts';
import { must } from './violation.ts';

const TOPIC = 'spool';
const SESSION_TIMEOUT_MS = 6000;
/** Of the seeds: there is a topic that comes and goes. */
const SHORT_LIVED_SHARE = 0.5;

/** ZooKeeper, one broker, producers, readers and a group that commits; and everything that can go wrong. */
class KafkaWorld {
  readonly sim: Simulation;
  readonly #random: SimRandom;
  readonly #zookeeper: Supervisor<ZookeeperServer>;
  readonly #broker: Supervisor<KafkaBroker>;
  readonly #operator: SimMachine;
  readonly #clients: SimMachine;
  readonly #connect: string;
  readonly #bootstrap: string;
  readonly #partitions: readonly PartitionHistory[];
  readonly #durationMs: number;
  readonly #faults = new Map<string, number>();
  #producers: readonly ProducerActor[] = [];
  #fetcher: FetchActor | undefined;
  #committer: CommitActor | undefined;
  readonly #administrators: TopicActor[] = [];
  readonly #verdict = new Verdict();
  /** How often the broker's machine lost power. */
  #era = 0;

  constructor(seed: number, options: RunOptions) {
    this.sim = new Simulation({ seed, onLog: (line) => this.#heard(line, options) });
    this.#random = this.sim.random.fork('kafka world');
    const random = this.#random;
    this.#durationMs = options.durationMs ?? random.between(15_000, 40_000);
    const count = 1 + random.below(3);
    this.#partitions = Array.from({ length: count }, (_, index) => new PartitionHistory(`${TOPIC}-${index}`));
    const zookeeper = simulateZookeeper(this.sim, {
      onFatal: (_machine, error) => this.#zookeeper.failed(error),
    });
    this.#connect = `${zookeeper.machine.host}:2181`;
    const broker = simulateBroker(this.sim, this.#connect, {
      kafka: {
        'log.segment.bytes': random.pick([20_000, 60_000, 1_000_000]),
        // Little, so that memory is used again all the time.
        'odradek.recent.batches.bytes': 65_536,
        'log.index.interval.bytes': random.pick([0, 400, 4096]),
        'log.flush.interval.messages': random.pick([20, 1_000_000]),
        'log.flush.offset.checkpoint.interval.ms': 2000,
        'zookeeper.session.timeout.ms': SESSION_TIMEOUT_MS,
        'auto.create.topics.enable': false,
        'offsets.topic.num.partitions': 1,
      },
      onFatal: (_machine, error) => this.#broker.failed(error),
    });
    this.#bootstrap = `${broker.machine.host}:9092`;
    this.#operator = this.sim.machine('operator');
    this.#clients = this.sim.machine('clients');
    const { clock } = this.#operator.runtime;
    this.#zookeeper = new Supervisor(zookeeper, clock, this.#verdict, () => zookeeper.machine.disk.repair());
    this.#broker = new Supervisor(broker, clock, this.#verdict, () => broker.machine.disk.repair());
    this.sim.invariant('history', () => this.#verdict.check());
  }

  get drawn(): string {
    const faults = [...this.#faults].map(([name, count]) => `${name} ${count}`).join(', ');
    const acknowledged = this.#partitions.reduce((sum, each) => sum + each.acknowledged, 0);
    const lives = this.#administrators
      .map((each) => `${each.lives} lives of a topic, ${each.deletions} deletions, `)
      .join('');
    const lost = this.#partitions.reduce((sum, each) => sum + each.lost, 0);
    return `${this.#partitions.length} partitions, ${this.#producers.length} producers; ${acknowledged} records acknowledged, ${lost} lost with the power, ${this.#fetcher?.read ?? 0} read, ${this.#committer?.commits ?? 0} commits, ${lives}${this.#broker.starts} broker starts; faults: ${faults}`;
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
    await this.sim.complete(admin.createTopics([{ name: TOPIC, partitions: this.#partitions.length }]));
    admin.close();
    this.#startActors();
    while (this.sim.nowMs < this.#durationMs) {
      await this.sim.runFor(this.#random.between(50, 2500));
      this.#strike();
    }
    await this.#converge();
    await this.#audit('when all was quiet');
    await this.#crashAndAudit('process');
    await this.#crashAndAudit('power');
  }

  #startActors(): void {
    const options: KafkaActorOptions = {
      machine: this.#clients,
      bootstrap: this.#bootstrap,
      topic: TOPIC,
      partitions: this.#partitions,
      random: this.#random.fork('actors'),
      violated: this.#verdict.violated,
    };
    const names = ['i0', 'p0', ...(this.#random.chance(0.5) ? ['i1', 'p1'] : [])];
    this.#producers = names.map((name) => new ProducerActor(name, { ...options, random: this.#random.fork(name) }));
    this.#fetcher = new FetchActor({ ...options, random: this.#random.fork('fetcher') });
    this.#committer = new CommitActor({ ...options, random: this.#random.fork('committer') });
    if (this.#random.fork('the topic actor').chance(SHORT_LIVED_SHARE)) {
      const given = { ...options, random: this.#random.fork('administrator') };
      this.#administrators.push(new TopicActor(given, this.#partitions[0]!));
    }
    for (const actor of [...this.#producers, this.#fetcher, this.#committer, ...this.#administrators]) {
      actor.run().catch(this.#verdict.violated);
    }
  }

  // ---------------------------------------------------------------- faults

  #strike(): void {
    const random = this.#random;
    const { machine } = this.#broker.node;
    const zookeeper = this.#zookeeper.node.machine;
    const faults: Readonly<Record<string, () => void>> = {
      'broker process crash': () => this.#crashBroker('process', random.between(50, 3000)),
      'broker power crash': () => this.#crashBroker('power', random.between(200, 3000)),
      'broker crash beyond its session': () => this.#crashBroker('process', SESSION_TIMEOUT_MS * 2),
      'ZooKeeper crash': () => this.#zookeeper.crash(random.pick(['process', 'power']), random.between(1, 4000)),
      'ZooKeeper partition': () => this.#partition(zookeeper, random.between(20, 2 * SESSION_TIMEOUT_MS)),
      'client partition': () => this.#partition(this.#clients, random.between(20, 5000)),
      'broker stall': () => machine.stall(random.between(50, 1.5 * SESSION_TIMEOUT_MS)),
      'ZooKeeper stall': () => zookeeper.stall(random.between(50, 1.5 * SESSION_TIMEOUT_MS)),
      reset: () => this.sim.network.resetBetween(this.#clients, machine),
      'disk full': () => this.#breakDisk(() => machine.disk.fill(random.below(30) * 4096)),
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

  #crashBroker(kind: 'process' | 'power', downMs: number): void {
    // A start that is still recovering has what the last failure left.
    const { isUp } = this.#broker;
    this.#broker.crash(kind, downMs);
    if (kind === 'process') {
      if (isUp)
        this.#forEachDirectory((directory) => checkIndexes(this.#broker.node.machine, directory, 'after a kill'));
      return;
    }
    // What is still on the wire was said before; nothing of it arrives later than this.
    this.#later(Math.min(150, downMs - 1), () => this.#newEra());
  }

  /** The machine lost power: an unsynced end of each log may be gone. */
  #newEra(): void {
    this.#era += 1;
    for (const partition of this.#partitions) partition.era = this.#era;
  }

  #partition(other: SimMachine, ms: number): void {
    const { machine } = this.#broker.node;
    this.sim.network.partition(machine, other);
    this.#later(ms, () => this.sim.network.heal(machine, other));
  }

  /** The log dir goes offline, and an operator mends the disk and starts the broker again. */
  #breakDisk(act: () => void): void {
    act();
    const { machine } = this.#broker.node;
    this.#later(2000, () => {
      machine.disk.repair();
      if (machine.alive) this.#crashBroker('process', 100);
    });
  }

  #later(ms: number, act: () => void): void {
    this.#verdict.later(this.#operator.runtime.clock, ms, act);
  }

  #forEachDirectory(act: (directory: string) => void): void {
    for (const { name } of this.#partitions) act(`/kafka/${name}`);
  }

  // ---------------------------------------------------------------- what must hold

  #heard(line: string, { onLog }: RunOptions): void {
    onLog?.(line);
    this.#verdict.heard(line);
  }

  /** Faults off: the broker is registered, serves, and everybody comes to an end. */
  async #converge(): Promise<void> {
    const { machine } = this.#broker.node;
    this.sim.network.heal();
    await this.sim.runFor(16_000);
    machine.disk.repair();
    await this.sim.runUntil(() => this.#zookeeper.isUp && this.#broker.isUp, 60_000);
    const writers = [...this.#producers, ...this.#administrators];
    for (const actor of [...writers, this.#fetcher, this.#committer]) actor?.stop();
    await this.sim.runUntil(() => writers.every(({ isDone }) => isDone), 60_000);
    for (const administrator of this.#administrators) await this.sim.complete(administrator.settle());
    await this.#checkRegistered();
  }

  async #checkRegistered(): Promise<void> {
    const client = connectZookeeper(this.#clients.runtime, { connect: this.#connect, sessionTimeoutMs: 10_000 });
    await this.sim.runFor(2 * SESSION_TIMEOUT_MS);
    const stat = await this.sim.complete(client.exists('/brokers/ids/0'));
    must(stat !== undefined, () => 'the broker runs, and is not registered');
    await this.sim.complete(client.close());
  }

  async #crashAndAudit(kind: 'process' | 'power'): Promise<void> {
    if (kind === 'power') this.#newEra();
    this.#crashBroker(kind, 1000);
    await this.sim.runFor(1);
    await this.sim.runUntil(() => this.#broker.isUp, 60_000);
    await this.#audit(`after a last ${kind} crash`);
  }

  async #audit(when: string): Promise<void> {
    const fetcher = this.#fetcher!;
    for (const [index, partition] of this.#partitions.entries()) {
      partition.audit(await this.sim.complete(fetcher.readAll(index)), when);
    }
    this.#forEachDirectory((directory) => {
      checkIndexes(this.#broker.node.machine, directory, when);
      checkBatches(this.#broker.node.machine, directory, when);
    });
    await this.sim.complete(this.#committer!.check());
    for (const administrator of this.#administrators) {
      await this.sim.complete(administrator.check());
      this.#checkLeftovers(when);
    }
  }

  /** Of all lives of the topic that comes and goes only the last one has a directory; others may wait to be removed. */
  #checkLeftovers(when: string): void {
    const node = this.#broker.node.machine.disk.tree.find('/kafka');
    must(node?.kind === 'directory', () => `no log dir ${when}`);
    const found = [...node.entries.keys()].filter(
      (each) => each.startsWith(SHORT_LIVED_TOPIC) && !each.endsWith('-delete'),
    );
    must(found.join() === `${SHORT_LIVED_TOPIC}-0`, () => `${when} the log dir has ${found.join()}`);
  }
}

export function runKafkaWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return outcomeOf('kafka', seed, new KafkaWorld(seed, options));
}
