import type { ZookeeperClient } from '../client.ts';
import type { CreateOptions } from '../client-options.ts';
import type { NodeData } from '../multi.ts';
import { childOf } from '../paths.ts';
import { Held, type LostWhen } from './held.ts';
import { inOrder, type Line, previous, standInLine } from './line.ts';
import { childrenOf } from './nodes.ts';
import { untilAnswered, type WaitOptions, whileWaiting } from './waiting.ts';

export interface LockOptions {
  /** Of the contenders' nodes, for those who look. Default null. */
  readonly data?: NodeData;
  /** Of the contenders' nodes. Default: anyone may do anything. */
  readonly acl?: CreateOptions['acl'];
  /** When a holder's signal is aborted. Default `suspended`. */
  readonly lostWhen?: LostWhen;
}

/**
 * A lock that one holder at a time has, in the order of asking; on the znodes of Curator's InterProcessMutex:
 *
 *   /lock/_c_1c9f…-lock-0000000004   holds it
 *   /lock/_c_77a0…-lock-0000000005   watches …4
 *   /lock/_c_e3d1…-lock-0000000006   watches …5
 *
 * Not re-entrant: there is no thread that could own it. Each `acquire` is a contender of its own, and whoever asks again while
 * holding waits for itself; hand the `Held` on instead.
 */
export class Mutex {
  readonly #client: ZookeeperClient;
  readonly #line: Line;
  readonly #lostWhen: LostWhen;

  constructor(client: ZookeeperClient, path: string, options: LockOptions = {}) {
    this.#client = client;
    this.#line = lockLine(path, 'lock-', options);
    this.#lostWhen = options.lostWhen ?? 'suspended';
  }

  /** @throws WaitTimeoutError, the signal's reason, or KeeperError: SESSIONEXPIRED, NOAUTH, … */
  acquire(options?: WaitOptions): Promise<Held> {
    return acquire(this.#client, this.#line, this.#lostWhen, options);
  }

  /** Undefined if another has it. */
  tryAcquire(options?: WaitOptions): Promise<Held | undefined> {
    return tryAcquire(this.#client, this.#line, this.#lostWhen, options);
  }

  /** Holds the lock while `work` runs. */
  async run<T>(work: (held: Held) => Promise<T>, options?: WaitOptions): Promise<T> {
    const held = await this.acquire(options);
    try {
      return await work(held);
    } finally {
      await held.release();
    }
  }

  /** The nodes of all contenders in their order; the first has the lock. */
  contenders(): Promise<string[]> {
    return contenders(this.#client, this.#line);
  }
}

export function lockLine(path: string, name: string, { data = null, acl }: LockOptions): Line {
  return { path, name, names: [name], data, acl, blocker: previous };
}

export function acquire(
  client: ZookeeperClient,
  line: Line,
  lostWhen: LostWhen,
  options: WaitOptions | undefined,
): Promise<Held> {
  return whileWaiting(client, `lock ${line.path}`, options, async (waiting) => {
    const { place, stat } = (await standInLine(client, line, waiting, { wait: true }))!; // it waited
    return new Held(client, place, stat.czxid, lostWhen);
  });
}

export function tryAcquire(
  client: ZookeeperClient,
  line: Line,
  lostWhen: LostWhen,
  options: WaitOptions | undefined,
): Promise<Held | undefined> {
  return whileWaiting(client, `lock ${line.path}`, options, async (waiting) => {
    const turn = await standInLine(client, line, waiting, { wait: false });
    return turn === undefined ? undefined : new Held(client, turn.place, turn.stat.czxid, lostWhen);
  });
}

export async function contenders(client: ZookeeperClient, { path, names }: Line): Promise<string[]> {
  const children = await untilAnswered(client, () => childrenOf(client, path));
  return inOrder(children, names).map((name) => childOf(path, name));
}
