import { randomUuid } from '../../../runtime/random.ts';
import { CreateMode } from '../../jute/create-mode.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { childOf } from '../paths.ts';
import { createInContainers } from './containers.ts';
import { childrenOf, ignore } from './nodes.ts';
import { deleteSurely } from './protected-node.ts';
import { untilGone, type Waiting, type WaitOptions, watching, whileWaiting } from './waiting.ts';

const READY = 'ready';

/**
 * Members begin together and end together; on the znodes of Curator's DistributedDoubleBarrier:
 *
 *   /barrier/3f0e…   one for each member that has entered, named by a UUID
 *   /barrier/ready   there are enough of them: all go on
 *
 *   outside ──enter──▶ entered ──leave──▶ outside
 *
 * To leave, the member with the lowest name waits for the highest, the others delete their node and wait for the lowest.
 */
export class DoubleBarrier {
  readonly #client: ZookeeperClient;
  readonly #path: string;
  readonly #members: number;
  readonly #name: string;

  /** `members` begin together. */
  constructor(client: ZookeeperClient, path: string, members: number) {
    if (!Number.isInteger(members) || members < 1) throw new RangeError(`members: a positive integer, not ${members}`);
    this.#client = client;
    this.#path = path;
    this.#members = members;
    this.#name = randomUuid(client.runtime.random);
  }

  /** Until enough have entered. Who gives up is a member no more. */
  enter(options?: WaitOptions): Promise<void> {
    return whileWaiting(this.#client, `entering ${this.#path}`, options, async (waiting) => {
      let creating: Promise<void> | undefined;
      const create = (): Promise<void> => {
        creating = this.#createOurs();
        return creating;
      };
      try {
        await this.#enter(waiting, create);
      } catch (error) {
        this.#giveUp(creating).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Until all have left. */
  leave(options?: WaitOptions): Promise<void> {
    return whileWaiting(this.#client, `leaving ${this.#path}`, options, async (waiting) => {
      await this.#leave(waiting);
      await waiting.ask(() => this.#client.delete(childOf(this.#path, READY)).catch(ignore(ErrorCode.NONODE)));
    });
  }

  #enter(waiting: Waiting, create: () => Promise<void>): Promise<void> {
    const ready = childOf(this.#path, READY);
    return watching(this.#client, ready, async (watch, event) => {
      const isReady = await waiting.ask(() => this.#client.exists(ready, watch));
      await waiting.ask(create);
      if (isReady !== undefined) return;
      const names = await waiting.ask(() => this.#client.getChildren(this.#path));
      if (names.includes(READY)) return;
      if (names.length < this.#members) await waiting.race(event);
      else await waiting.ask(() => this.#client.create(ready).catch(ignore(ErrorCode.NODEEXISTS)));
    });
  }

  /** The node may come only now: it may have to wait for its parents. */
  async #giveUp(creating: Promise<void> | undefined): Promise<void> {
    await creating?.catch(() => undefined);
    await this.#deleteOurs();
  }

  async #leave(waiting: Waiting): Promise<void> {
    for (;;) {
      const names = await waiting.ask(() => childrenOf(this.#client, this.#path));
      const members = names.filter((name) => name !== READY).sort();
      const [lowest] = members;
      const highest = members.at(-1);
      if (lowest === undefined || highest === undefined) return;
      const isLowest = lowest === this.#name;
      if (!isLowest || members.length === 1) await waiting.ask(() => this.#deleteOurs());
      if (!isLowest || members.length > 1)
        await untilGone(this.#client, childOf(this.#path, isLowest ? highest : lowest), waiting);
    }
  }

  /** The name is ours alone: where it exists, an earlier attempt has been answered now. */
  async #createOurs(): Promise<void> {
    const path = childOf(this.#path, this.#name);
    await createInContainers(this.#client, path, null, { mode: CreateMode.EPHEMERAL }).catch(
      ignore(ErrorCode.NODEEXISTS),
    );
  }

  #deleteOurs(): Promise<void> {
    return deleteSurely(this.#client, childOf(this.#path, this.#name), CreateMode.EPHEMERAL);
  }
}
