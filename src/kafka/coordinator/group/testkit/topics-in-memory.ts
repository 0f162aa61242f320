import type { ConsumerConfig } from '../consumer/consumer-config.ts';
import type { TopicImage, TopicView } from '../consumer/topic-image.ts';

export const consumerDefaults: ConsumerConfig = {
  isEnabled: true,
  groupSizeMax: 2_147_483_647,
  assignors: ['uniform', 'range'],
  migrationPolicy: 'bidirectional',
  regexRefreshIntervalMs: 600_000,
  times: () => ({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5000, assignmentIntervalMs: 0 }),
};

/** Topics that a test makes; ids are told by order. */
export class TopicsInMemory implements TopicImage {
  readonly #topics = new Map<string, TopicView>();
  readonly #names = new Map<string, string>();
  changes = 0;
  version = 0;

  /** @param bytes of the id, where its hash matters */
  set(name: string, partitionCount: number, bytes?: Uint8Array): string {
    const known = this.#topics.get(name);
    const made = Buffer.from(bytes ?? `topic ${this.#names.size}`.padEnd(16));
    const id = known?.id ?? made.toString('base64url');
    this.#topics.set(name, { id, name, partitionCount, partitionRacks: () => [] });
    this.#names.set(id, name);
    this.changes += 1;
    if (known === undefined) this.version += 1;
    return id;
  }

  delete(name: string): void {
    this.#topics.delete(name);
    this.changes += 1;
  }

  topic(name: string): TopicView | undefined {
    return this.#topics.get(name);
  }

  nameOf(id: string): string | undefined {
    const name = this.#names.get(id);
    return name !== undefined && this.#topics.get(name)?.id === id ? name : undefined;
  }

  names(): Iterable<string> {
    return this.#topics.keys();
  }
}
