import type { Clock } from '../../runtime/clock.ts';
import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { ChangeNodes } from './change-nodes.ts';
import type { KafkaZk } from './kafka-zk.ts';
import { unless } from './zk-connection.ts';
import { paths } from './znodes.ts';

/** The znodes of delegation tokens, by the tokens' ids (`DelegationTokenManagerZk`). */
export class TokenZnodes {
  readonly #zk: KafkaZk;
  /** Each names a token that came, changed, or went. */
  readonly changes: ChangeNodes;

  constructor(zk: KafkaZk, clock: Clock) {
    this.#zk = zk;
    this.changes = new ChangeNodes({ zk, clock, path: paths.tokenChanges, prefix: 'token_change_' });
  }

  /** What a broker with tokens creates at its start. */
  async createPaths(): Promise<void> {
    const wanted = [paths.delegationTokenRoot, paths.tokenChanges, paths.delegationTokens];
    await Promise.all(wanted.map((path) => unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(path, null))));
  }

  ids(): Promise<string[]> {
    return this.#zk.requests.getChildren(paths.delegationTokens);
  }

  async read(tokenId: string): Promise<Uint8Array | null> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(paths.delegationToken(tokenId)));
    return node?.data ?? null;
  }

  async write(tokenId: string, data: Uint8Array): Promise<void> {
    const path = paths.delegationToken(tokenId);
    if ((await unless(ErrorCode.NONODE, this.#zk.requests.setData(path, data))) !== undefined) return;
    await unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(path, data));
  }

  async remove(tokenId: string): Promise<void> {
    await unless(ErrorCode.NONODE, this.#zk.requests.delete(paths.delegationToken(tokenId)));
  }

  announce(tokenId: string): Promise<void> {
    return this.changes.announce(Buffer.from(tokenId));
  }
}
