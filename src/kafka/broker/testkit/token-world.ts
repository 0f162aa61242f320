import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { type ConfigKeys, Simulation, simulateZookeeper, testKafkaConfig } from '../../../testing/index.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../zookeeper/client/client.ts';
import { KafkaZk } from '../../zk/kafka-zk.ts';
import { DelegationTokens } from '../delegation-tokens.ts';

/** One of the brokers, as far as tokens need it. */
export interface TokenNode {
  readonly machine: SimMachine;
  readonly zk: KafkaZk;
  readonly tokens: DelegationTokens;
}

/** The delegation tokens of two brokers of one cluster, without their brokers, and an eye on the znodes. */
export class TokenWorld {
  readonly sim: Simulation;
  readonly logLines: string[] = [];
  readonly eye: ZookeeperClient;
  readonly one: TokenNode;
  readonly other: TokenNode;
  readonly #zookeeper: ReturnType<typeof simulateZookeeper>;

  constructor(keys: ConfigKeys = { 'delegation.token.secret.key': 'key' }) {
    this.sim = new Simulation({ seed: 5, onLog: (line) => this.logLines.push(line) });
    this.#zookeeper = simulateZookeeper(this.sim);
    this.eye = this.connect(this.sim.machine('eye'));
    this.one = this.#node('one', keys);
    this.other = this.#node('other', keys);
  }

  async start(): Promise<this> {
    await this.#zookeeper.start();
    for (const { tokens } of [this.one, this.other]) await this.run(tokens.start());
    return this;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise);
  }

  connect({ runtime }: SimMachine): ZookeeperClient {
    return connectZookeeper(runtime, { connect: this.#address, sessionTimeoutMs: 30_000 });
  }

  get #address(): string {
    return `${this.#zookeeper.machine.host}:2181`;
  }

  #node(name: string, keys: ConfigKeys): TokenNode {
    const machine = this.sim.machine(name);
    const { runtime } = machine;
    const zk = new KafkaZk(this.connect(machine), runtime.clock, runtime.random);
    const config = testKafkaConfig('/kafka', this.#address, 'PLAINTEXT://127.0.0.1:9092', keys);
    return { machine, zk, tokens: new DelegationTokens(runtime, config, zk) };
  }
}
