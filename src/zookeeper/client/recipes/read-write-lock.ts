import type { ZookeeperClient } from '../client.ts';
import type { Held, LostWhen } from './held.ts';
import { type Line, previous } from './line.ts';
import { acquire, contenders, type LockOptions, tryAcquire } from './mutex.ts';
import type { WaitOptions } from './waiting.ts';

const READ = '__READ__';
const WRITE = '__WRIT__';

/**
 * Many readers or one writer, in the order of asking; on the znodes of Curator's InterProcessReadWriteLock:
 *
 *   /lock/_c_1c9f…-__READ__0000000004   holds it
 *   /lock/_c_77a0…-__READ__0000000005   holds it
 *   /lock/_c_e3d1…-__WRIT__0000000006   watches …5
 *   /lock/_c_0b52…-__READ__0000000007   watches …6
 *
 * A writer that asks to read waits for itself: Curator's downgrade is a matter of threads.
 */
export class ReadWriteLock {
  readonly read: Side;
  readonly write: Side;

  constructor(client: ZookeeperClient, path: string, options: LockOptions = {}) {
    const { data = null, acl, lostWhen = 'suspended' } = options;
    const common = { path, names: [READ, WRITE], data, acl };
    this.read = new Side(client, { ...common, name: READ, blocker: lastWriter }, lostWhen);
    this.write = new Side(client, { ...common, name: WRITE, blocker: previous }, lostWhen);
  }
}

/** One of the two ways to have a ReadWriteLock; as Mutex. */
class Side {
  readonly #client: ZookeeperClient;
  readonly #line: Line;
  readonly #lostWhen: LostWhen;

  constructor(client: ZookeeperClient, line: Line, lostWhen: LostWhen) {
    this.#client = client;
    this.#line = line;
    this.#lostWhen = lostWhen;
  }

  acquire(options?: WaitOptions): Promise<Held> {
    return acquire(this.#client, this.#line, this.#lostWhen, options);
  }

  /** Undefined if it would have to wait. */
  tryAcquire(options?: WaitOptions): Promise<Held | undefined> {
    return tryAcquire(this.#client, this.#line, this.#lostWhen, options);
  }

  /** The nodes of all who want this side, in their order. */
  async contenders(): Promise<string[]> {
    const all = await contenders(this.#client, this.#line);
    return all.filter((path) => path.includes(this.#line.name));
  }
}

/** A reader waits for the nearest writer before it. */
function lastWriter(inOrder: readonly string[], index: number): string | undefined {
  return inOrder.slice(0, index).findLast((name) => name.includes(WRITE));
}
