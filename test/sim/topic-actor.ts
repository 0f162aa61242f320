import { type Admin, createAdmin } from '../../src/kafka/client/admin.ts';
import { createProducer, type Producer } from '../../src/kafka/client/producer.ts';
import { ErrorCode, KafkaError } from '../../src/kafka/protocol/errors.ts';
import { clientOptions, FetchActor, type KafkaActorOptions, pause } from './kafka-actors.ts';
import { PartitionHistory } from './partition-history.ts';
import { must } from './violation.ts';

export const SHORT_LIVED_TOPIC = 'shuttle';
const KEY = 'retention.ms';
/** As long as a request that was given up may still be under way: behind a partition, or a broker that does not run. */
const DOUBT_MS = 20_000;

/** What the present life of the topic must show. */
interface Life {
  readonly number: number;
  /** What its configuration says, and nothing more. */
  config: string;
  /** Acknowledged records, in their order, each with the era of the broker's power. */
  readonly records: { readonly value: string; readonly era: number }[];
}

/**
 * An administrator who creates a topic, writes to it, changes its configuration and deletes it, again and again. No life of the topic
 * shows anything of an earlier one, neither records nor configuration, and each shows all of its own. Whatever is answered late or
 * not at all may yet be done: then it waits until nothing can be under way any more, and begins anew.
 */
export class TopicActor {
  readonly #options: KafkaActorOptions;
  readonly #admin: Admin;
  readonly #producer: Producer;
  readonly #reader: FetchActor;
  readonly #power: PartitionHistory;
  #life: Life | undefined;
  #isStopping = false;
  isDone = false;
  /** Lives that were begun. */
  lives = 0;
  deletions = 0;

  /** @param power counts the failures of the broker's power */
  constructor(options: KafkaActorOptions, power: PartitionHistory) {
    this.#options = options;
    this.#power = power;
    const topic = SHORT_LIVED_TOPIC;
    this.#reader = new FetchActor({ ...options, topic, partitions: [new PartitionHistory(`${topic}-0`)] });
    const { machine, bootstrap } = options;
    const given = { bootstrapServers: bootstrap, clientId: 'administrator', ...clientOptions };
    this.#admin = createAdmin(machine.runtime, given);
    this.#producer = createProducer(machine.runtime, {
      ...given,
      enableIdempotence: false,
      maxInFlight: 1,
      deliveryTimeoutMs: 8000,
      maxBlockMs: 8000,
    });
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    const { machine, random } = this.#options;
    while (!this.#isStopping) {
      try {
        await this.#live(random.below(8));
        await this.#inTime(() => this.#delete());
      } catch (error) {
        if (!(error instanceof KafkaError) && !(error instanceof DoubtError)) throw error;
        for (let waited = 0; waited < DOUBT_MS && !this.#isStopping; waited += 500) await pause(machine, 500);
      }
    }
    this.#life = undefined;
    this.isDone = true;
  }

  /** A last life, which stays. @throws when all is well and it does not come to be */
  async settle(): Promise<void> {
    await this.#live(4);
  }

  /** Everything that the topic has is of this life, and all that it was given is there. @throws KafkaError */
  async check(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    const { era } = this.#power;
    const found = await this.#reader.readAll(0);
    const name = `life ${life.number} of ${SHORT_LIVED_TOPIC}`;
    for (const { value } of found) {
      must(value.startsWith(`${life.number}.`), () => `${name} has ${value}, of another life`);
    }
    const there = new Set(found.map(({ value }) => value));
    for (const { value, era: written } of life.records) {
      must(written < this.#power.era || there.has(value), () => `${name} lost ${value}`);
    }
    if (era !== this.#power.era) return;
    const described = await this.#admin.describeConfigs([{ type: 'topic', name: SHORT_LIVED_TOPIC }]);
    const own = described.get(SHORT_LIVED_TOPIC)!.filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG');
    const text = own.map((entry) => `${entry.name}=${entry.value}`).join();
    must(text === life.config, () => `${name} has the configuration '${text}', not '${life.config}'`);
  }

  // ---------------------------------------------------------------- a life

  async #live(steps: number): Promise<void> {
    const { random, machine } = this.#options;
    this.#life = undefined;
    await this.#inTime(() => this.#clear());
    await this.#inTime(() => this.#create());
    await this.check();
    for (let step = 0; step < steps; step += 1) {
      const drawn = random.fraction();
      if (drawn < 0.6) await this.#inTime(() => this.#produce(step));
      else await this.#inTime(() => this.#configure(step));
      if (random.chance(0.3)) await this.check();
      await pause(machine, random.between(0, 200));
    }
    await this.check();
  }

  /** An attempt that was given up may arrive at any time. */
  async #inTime(act: () => Promise<void>): Promise<void> {
    const { clock } = this.#options.machine.runtime;
    const beganMs = clock.monotonicMs();
    await act();
    if (clock.monotonicMs() - beganMs >= clientOptions.requestTimeoutMs) throw new DoubtError();
  }

  async #clear(): Promise<void> {
    try {
      await this.#admin.deleteTopics([SHORT_LIVED_TOPIC]);
    } catch (error) {
      if (!isCode(error, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)) throw error;
    }
  }

  async #create(): Promise<void> {
    this.lives += 1;
    const value = String(3_600_000 + this.lives);
    // Without, it is the old life's if anything of that is left.
    const isConfigured = this.#options.random.chance(0.5);
    for (;;) {
      try {
        const configs = new Map(isConfigured ? [[KEY, value]] : []);
        await this.#admin.createTopics([{ name: SHORT_LIVED_TOPIC, partitions: 1, configs }]);
        break;
      } catch (error) {
        // A deletion is answered before all that it takes is gone.
        if (!isCode(error, ErrorCode.TOPIC_ALREADY_EXISTS)) throw error;
        await pause(this.#options.machine, 100);
      }
    }
    this.#life = { number: this.lives, config: isConfigured ? `${KEY}=${value}` : '', records: [] };
  }

  async #produce(step: number): Promise<void> {
    const { number, records } = this.#life!;
    const { era } = this.#power;
    const count = 1 + this.#options.random.below(5);
    const values = Array.from({ length: count }, (_, index) => `${number}.${step}.${index}`);
    await Promise.all(values.map((value) => this.#producer.send({ topic: SHORT_LIVED_TOPIC, partition: 0, value })));
    records.push(...values.map((value) => ({ value, era })));
  }

  async #configure(step: number): Promise<void> {
    const life = this.#life!;
    const value = String(7_200_000 + 100 * life.number + step);
    const resource = { type: 'topic', name: SHORT_LIVED_TOPIC } as const;
    await this.#admin.alterConfigs(resource, [{ name: KEY, operation: 'set', value }]);
    life.config = `${KEY}=${value}`;
  }

  async #delete(): Promise<void> {
    this.#life = undefined;
    await this.#admin.deleteTopics([SHORT_LIVED_TOPIC]);
    this.deletions += 1;
  }
}

/** Something was answered so late that it may have been asked for twice. */
class DoubtError extends Error {}

function isCode(error: unknown, code: number): boolean {
  return error instanceof KafkaError && error.code === code;
}
