import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { NodeValue } from '../client-options.ts';
import { createInContainers } from './containers.ts';
import { CorruptValueError, RecipeClosedError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { ignore, isError } from './nodes.ts';
import { type SessionSource, type Sessions, sessionsOf } from './sessions.ts';
import { untilAnswered, Waiting, type WaitOptions } from './waiting.ts';

export interface VersionedCount {
  readonly count: number;
  /** Of the node: `trySet` succeeds only while it is still that. */
  readonly version: number;
}

/**
 * A small number that all see change; on the znode of Curator's SharedCount: 4 bytes, big-endian. For counting, AtomicLong is
 * better: here a `trySet` whose answer is lost fails with ConnectionLoss and may have been done.
 */
export class SharedCount {
  readonly #sessions: Sessions;
  readonly #path: string;
  readonly #seed: number;
  readonly #listeners = new Listeners<VersionedCount>();
  readonly #stopListening: () => void;
  #seen: (VersionedCount & { readonly mzxid: bigint }) | undefined;
  /** Rejected when the first value will not come. */
  readonly #end = Promise.withResolvers<never>();
  #closed = false;

  /** The node is created with `seed` if there is none. Call `start`, or wait for the first change. */
  constructor(source: SessionSource, path: string, seed: number) {
    this.#sessions = sessionsOf(source);
    this.#path = path;
    this.#seed = seed;
    this.#stopListening = this.#sessions.subscribe((client) => {
      this.#follow(client).catch((error: unknown) => {
        client.runtime.log.warn('count not read', { path, error });
        if (!isError(error, ErrorCode.SESSIONEXPIRED)) this.#end.reject(error);
      });
    });
    this.#end.promise.catch(() => undefined); // nobody may be waiting
  }

  /** Resolves with the first value seen. @throws RecipeClosedError, CorruptValueError, KeeperError, … */
  async start(options?: WaitOptions): Promise<VersionedCount> {
    const waiting = new Waiting(this.#sessions.client, `count ${this.#path}`, options);
    const { promise, resolve } = Promise.withResolvers<VersionedCount>();
    const stop = this.onChange(resolve);
    try {
      return this.#seen ?? (await waiting.race(Promise.race([promise, this.#end.promise])));
    } finally {
      stop();
      waiting.stop();
    }
  }

  /** The last value seen; it may be old. Before `start` resolved, the seed with version -1. */
  get value(): VersionedCount {
    return this.#seen ?? { count: this.#seed, version: -1 };
  }

  /** Hears of each value seen (of values that follow each other quickly, not all are); answers how to stop. */
  onChange(listener: (value: VersionedCount) => void): () => void {
    return this.#listeners.add(listener);
  }

  async set(count: number): Promise<void> {
    const { client } = this.#sessions;
    const { version, mzxid } = await untilAnswered(client, () => client.setData(this.#path, encode(count)));
    this.#see(client, { count, version, mzxid });
  }

  /** False if the node has another version now; `value` is read again then. */
  async trySet(previous: VersionedCount, count: number): Promise<boolean> {
    const { client } = this.#sessions;
    try {
      const { version, mzxid } = await client.setData(this.#path, encode(count), previous.version);
      this.#see(client, { count, version, mzxid });
      return true;
    } catch (error) {
      if (!isError(error, ErrorCode.BADVERSION)) throw error;
      this.#take(client, await untilAnswered(client, () => client.getData(this.#path)));
      return false;
    }
  }

  /** Follows no more; the node stays. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#end.reject(new RecipeClosedError(`count ${this.#path}`));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #follow(client: ZookeeperClient): Promise<void> {
    await untilAnswered(client, () =>
      createInContainers(client, this.#path, encode(this.#seed), {}).catch(ignore(ErrorCode.NODEEXISTS)),
    );
    await this.#read(client);
  }

  async #read(client: ZookeeperClient): Promise<void> {
    if (this.#closed) return;
    try {
      this.#take(client, await untilAnswered(client, () => client.getData(this.#path, { watch: this.#changed })));
    } catch (error) {
      if (!isError(error, ErrorCode.NONODE)) throw error;
      const stat = await untilAnswered(client, () => client.exists(this.#path, { watch: this.#changed }));
      if (stat !== undefined) await this.#read(client);
    }
  }

  readonly #changed = (): void => {
    const { client } = this.#sessions;
    this.#read(client).catch((error: unknown) =>
      client.runtime.log.warn('count not read', { path: this.#path, error }),
    );
  };

  #take(client: ZookeeperClient, { data, stat }: NodeValue): void {
    if (data?.length !== 4) throw new CorruptValueError(this.#path, '4 bytes', data);
    this.#see(client, { count: data.readInt32BE(), version: stat.version, mzxid: stat.mzxid });
  }

  #see(client: ZookeeperClient, value: VersionedCount & { readonly mzxid: bigint }): void {
    if (this.#closed || (this.#seen !== undefined && this.#seen.mzxid >= value.mzxid)) return;
    this.#seen = value;
    this.#listeners.tell(client, value);
  }
}

function encode(count: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeInt32BE(count);
  return data;
}
