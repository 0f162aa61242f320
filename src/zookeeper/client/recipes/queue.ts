import { CreateMode } from '../../jute/create-mode.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { ReadOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { childOf } from '../paths.ts';
import { ensureContainers } from './containers.ts';
import { Ledger } from './ledger.ts';
import { isError } from './nodes.ts';
import { untilAnswered, type WaitOptions, watching, whileWaiting } from './waiting.ts';

const PREFIX = 'qn-';

interface Item {
  readonly path: string;
  readonly data: Buffer | null;
}

/**
 * First in, first out, for many producers and consumers; on the znodes of Curator's SimpleDistributedQueue: one persistent node
 * `qn-<digits>` for each item. Each item is put and taken exactly once, whatever answers are lost (see Ledger); one that was taken
 * is gone, also when its consumer dies before it has done anything with it.
 */
export class Queue {
  readonly #client: ZookeeperClient;
  readonly #path: string;
  readonly #ledger: Ledger;

  constructor(client: ZookeeperClient, path: string) {
    this.#client = client;
    this.#path = path;
    this.#ledger = new Ledger(client, path);
  }

  /** @throws OutcomeUnknownError when the session ends before the answer */
  async offer(data: NodeData): Promise<void> {
    const path = childOf(this.#path, PREFIX);
    for (;;) {
      try {
        return await this.#ledger.commit([{ kind: 'create', path, data, mode: CreateMode.PERSISTENT_SEQUENTIAL }]);
      } catch (error) {
        if (!isError(error, ErrorCode.NONODE)) throw error;
        await untilAnswered(this.#client, () => ensureContainers(this.#client, this.#path));
      }
    }
  }

  /** The next item's data without taking it; undefined if there is none. */
  async peek(): Promise<Buffer | null | undefined> {
    return (await this.#first(await this.#items({})))?.data;
  }

  /** Takes the next item; undefined if there is none. @throws OutcomeUnknownError */
  async poll(): Promise<Buffer | null | undefined> {
    return (await this.#takeOneOf(await this.#items({})))?.data;
  }

  /**
   * Takes the next item, which may have to come first. The options end the waiting; an item that is being taken by then is taken
   * and answered. @throws OutcomeUnknownError
   */
  take(options?: WaitOptions): Promise<Buffer | null> {
    return whileWaiting(this.#client, `queue ${this.#path}`, options, async (waiting) => {
      const look = (): Promise<Item | undefined> =>
        watching(this.#client, this.#path, async (watch, event) => {
          const names = await waiting.race(this.#items(watch));
          const item = await this.#takeOneOf(names);
          if (item === undefined) await waiting.race(event);
          return item;
        });
      for (;;) {
        const item = await look();
        if (item !== undefined) return item.data;
      }
    });
  }

  /** In their order. What is no item is left alone. */
  async #items(options: ReadOptions): Promise<string[]> {
    for (;;) {
      try {
        const names = await untilAnswered(this.#client, () => this.#client.getChildren(this.#path, options));
        return names.filter((name) => name.startsWith(PREFIX)).sort();
      } catch (error) {
        if (!isError(error, ErrorCode.NONODE)) throw error;
        await untilAnswered(this.#client, () => ensureContainers(this.#client, this.#path)); // so that it can be watched
      }
    }
  }

  async #first(names: readonly string[]): Promise<Item | undefined> {
    for (const name of names) {
      const path = childOf(this.#path, name);
      try {
        const { data } = await untilAnswered(this.#client, () => this.#client.getData(path));
        return { path, data };
      } catch (error) {
        if (!isError(error, ErrorCode.NONODE)) throw error; // another was quicker
      }
    }
    return undefined;
  }

  async #takeOneOf(names: readonly string[]): Promise<Item | undefined> {
    for (const [index] of names.entries()) {
      const item = await this.#first(names.slice(index, index + 1));
      if (item === undefined) continue;
      try {
        await this.#ledger.commit([{ kind: 'delete', path: item.path }]);
        return item;
      } catch (error) {
        if (!isError(error, ErrorCode.NONODE)) throw error;
      }
    }
    return undefined;
  }
}
