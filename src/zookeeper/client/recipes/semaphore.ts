import type { Stat } from '../../jute/data.ts';
import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { childOf } from '../paths.ts';
import { Held, type LostWhen } from './held.ts';
import { type Line, Place, standInLine } from './line.ts';
import { type LockOptions, lockLine } from './mutex.ts';
import { childrenOf, isError } from './nodes.ts';
import { untilAnswered, type Waiting, type WaitOptions, watching, whileWaiting } from './waiting.ts';

export interface SemaphoreOptions extends LockOptions {
  /** How many may hold a lease at once; all who use the path have to say the same. */
  readonly leases: number;
}

/**
 * So many leases at once, in the order of asking; on the znodes of Curator's InterProcessSemaphoreV2:
 *
 *   /semaphore/locks/_c_1c9f…-lock-0000000009     the one who is next for a lease
 *   /semaphore/locks/_c_77a0…-lock-0000000010     waits to be next
 *   /semaphore/leases/_c_e3d1…-lease-0000000007   one lease each
 *   /semaphore/leases/_c_0b52…-lease-0000000008
 *
 * Whoever is next puts its lease there, waits until there are no more of them than allowed, and lets the following one try.
 */
export class Semaphore {
  readonly #client: ZookeeperClient;
  readonly #leases: number;
  readonly #locks: Line;
  readonly #line: Line;
  readonly #lostWhen: LostWhen;

  constructor(client: ZookeeperClient, path: string, options: SemaphoreOptions) {
    const { leases, lostWhen = 'suspended', ...node } = options;
    if (!Number.isInteger(leases) || leases < 1) throw new RangeError(`leases: a positive integer, not ${leases}`);
    this.#client = client;
    this.#leases = leases;
    this.#locks = lockLine(childOf(path, 'locks'), 'lock-', { acl: node.acl });
    this.#line = lockLine(childOf(path, 'leases'), 'lease-', node);
    this.#lostWhen = lostWhen;
  }

  acquire(options?: WaitOptions): Promise<Held> {
    return whileWaiting(this.#client, `lease of ${this.#line.path}`, options, async (waiting) => {
      const { place: next } = (await standInLine(this.#client, this.#locks, waiting, { wait: true }))!; // it waited
      try {
        return await this.#lease(waiting);
      } finally {
        next.leave().catch(() => undefined); // ephemeral: gone at the latest with the session
      }
    });
  }

  /** The nodes of all leases, also of one whose owner still waits. */
  async holders(): Promise<string[]> {
    const names = await untilAnswered(this.#client, () => childrenOf(this.#client, this.#line.path));
    return names.map((name) => childOf(this.#line.path, name));
  }

  async #lease(waiting: Waiting): Promise<Held> {
    for (;;) {
      const place = await Place.take(this.#client, this.#line, waiting);
      try {
        const { czxid } = await this.#untilGranted(place, waiting);
        return new Held(this.#client, place, czxid, this.#lostWhen);
      } catch (error) {
        if (isError(error, ErrorCode.NONODE)) continue; // somebody deleted the lease
        place.leave().catch(() => undefined);
        throw error;
      }
    }
  }

  /** Any lease that goes makes room, so all are watched; only one client at a time does that. @throws NONODE */
  async #untilGranted(place: Place, waiting: Waiting): Promise<Stat> {
    const look = (): Promise<Stat | undefined> =>
      watching(this.#client, this.#line.path, async (watch, event) => {
        const [stat, names] = await Promise.all([
          place.read(waiting),
          waiting.ask(() => this.#client.getChildren(this.#line.path, watch)),
        ]);
        if (!names.some((name) => childOf(this.#line.path, name) === place.path)) return undefined; // the next read says so
        if (names.length <= this.#leases) return stat;
        await waiting.race(event);
        return undefined;
      });
    for (;;) {
      const stat = await look();
      if (stat !== undefined) return stat;
    }
  }
}
