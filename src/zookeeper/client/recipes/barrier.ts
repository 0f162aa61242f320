import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { createInContainers } from './containers.ts';
import { ignore } from './nodes.ts';
import { untilAnswered, type WaitOptions, watching, whileWaiting } from './waiting.ts';

/** While a node stands, all wait; on the znode of Curator's DistributedBarrier. */
export class Barrier {
  readonly #client: ZookeeperClient;
  readonly #path: string;

  constructor(client: ZookeeperClient, path: string) {
    this.#client = client;
    this.#path = path;
  }

  /** It may stand already. */
  async set(): Promise<void> {
    await untilAnswered(this.#client, () =>
      createInContainers(this.#client, this.#path, null, {}).catch(ignore(ErrorCode.NODEEXISTS)),
    );
  }

  /** Lets all go on. It may be gone already. */
  async remove(): Promise<void> {
    await untilAnswered(this.#client, () => this.#client.delete(this.#path).catch(ignore(ErrorCode.NONODE)));
  }

  /** Until the barrier is removed; at once if there is none. */
  wait(options?: WaitOptions): Promise<void> {
    return whileWaiting(this.#client, `barrier ${this.#path}`, options, async (waiting) => {
      const look = (): Promise<boolean> =>
        watching(this.#client, this.#path, async (watch, event) => {
          const stat = await waiting.ask(() => this.#client.exists(this.#path, watch));
          if (stat !== undefined) await waiting.race(event);
          return stat === undefined;
        });
      while (!(await look()));
    });
  }
}
