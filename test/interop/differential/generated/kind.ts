/** What a kind of request has to say of itself, so that sequences of it can be drawn, told to two brokers and compared. */
import type { SimRandom } from '../../../../src/runtime/sim/sim-random.ts';
import type { Answer } from '../raw-client.ts';
import type { Side } from './side.ts';

/** The first and last version of each API key that both brokers serve. */
export type VersionRanges = ReadonlyMap<number, readonly [number, number]>;

/**
 * Chance, and what the sequence has asked for so far. Nothing here comes from an answer: the same seed draws the same steps
 * whatever the brokers say.
 */
export class Draw {
  readonly random: SimRandom;
  readonly #versions: VersionRanges;
  /** Names that were used for a topic, whether or not it came to be. */
  readonly topics: string[] = [];
  /** Topics whose configuration changes: when a broker has heard of that is its own affair, so they get no records. */
  readonly quietTopics: string[] = [];
  /** Where transactions write. Down-converted, a log that begins with their end has a batch twice in Apache's answer. */
  readonly transactionTopics: string[] = [];
  readonly #counters = new Map<string, number>();

  constructor(random: SimRandom, versions: VersionRanges) {
    this.random = random;
    this.#versions = versions;
  }

  pick<T>(choices: readonly T[]): T {
    return this.random.pick(choices);
  }

  chance(probability: number): boolean {
    return this.random.chance(probability);
  }

  below(limit: number): number {
    return this.random.below(limit);
  }

  /** Undefined where the two brokers share no version. */
  version(apiKey: number, first = 0): number {
    const [least, most] = this.#versions.get(apiKey) ?? [0, 0];
    const from = Math.max(least, first);
    return from + this.below(Math.max(most - from, 0) + 1);
  }

  /** 0, 1, 2, … for each name. */
  next(name: string): number {
    const count = this.#counters.get(name) ?? 0;
    this.#counters.set(name, count + 1);
    return count;
  }

  /** Mostly one of the newest that were created. */
  topic(): string {
    if (this.topics.length === 0 || this.chance(0.04)) return 'missing';
    return this.chance(0.8) ? this.pick(this.topics.slice(-4)) : this.pick(this.topics);
  }

  transactionTopic(): string {
    if (this.transactionTopics.length === 0 || this.chance(0.04)) return 'missing';
    return this.pick(this.transactionTopics.slice(-3));
  }

  quietTopic(): string {
    return this.quietTopics.length === 0 || this.chance(0.04) ? 'missing' : this.pick(this.quietTopics);
  }

  partition(): number {
    return this.chance(0.04) ? 7 : this.below(3);
  }

  group(): string {
    return this.pick(['g0', 'g1', 'g2']);
  }

  some<T>(most: number, draw: () => T): T[] {
    return Array.from({ length: 1 + this.below(most) }, draw);
  }

  /** Mostly each but once: what a request means that says something twice no client asks. */
  distinct<T>(most: number, draw: () => T): T[] {
    const drawn = this.some(most, draw);
    return this.chance(0.08) ? drawn : [...new Set(drawn)];
  }
}

export interface RequestToSend {
  readonly apiKey: number;
  readonly version: number;
  readonly fields: object;
  /** Default true; without an answer it is seen whether the connection goes on. */
  readonly isAnswered?: boolean;
}

/** `A` is what was drawn: plain JSON, the same for both brokers, and enough to send the request again. */
export interface RequestKind<A> {
  readonly name: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  readonly apiKey: number;
  draw(draw: Draw): A;
  /** In the words of one broker: its ids, the names of this run. */
  request(args: A, side: Side): RequestToSend;
  /** Remembers what later requests need of an answer. */
  learn?(args: A, answer: Answer, side: Side): void | Promise<void>;
  /** Facts that a sorted answer does not show, such as an order; compared too. */
  facts?(answer: Answer, side: Side): unknown;
}

export interface Step {
  readonly kind: string;
  readonly args: unknown;
}

/** Ties the type of the arguments together once, so that kinds can stand in one list. */
export function requestKind<A>(kind: RequestKind<A>): RequestKind<unknown> {
  return kind as unknown as RequestKind<unknown>;
}
