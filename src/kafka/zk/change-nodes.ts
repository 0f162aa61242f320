import type { Clock } from '../../runtime/clock.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import type { KafkaZk } from './kafka-zk.ts';
import { unless } from './zk-connection.ts';

/** Changes older than this are removed by whoever takes another. */
const LIFETIME_MS = 15 * 60_000;

export interface ChangeNodesOptions {
  readonly zk: KafkaZk;
  readonly clock: Clock;
  /** Their parent. */
  readonly path: string;
  /** How their names begin, before the number. */
  readonly prefix: string;
}

/** Sequential nodes by which brokers tell each other what to read again (`ZkNodeChangeNotificationListener`). */
export class ChangeNodes {
  readonly #options: ChangeNodesOptions;
  /** Name of the newest that was seen. */
  #last = '';

  constructor(options: ChangeNodesOptions) {
    this.#options = options;
  }

  async announce(data: Uint8Array): Promise<void> {
    const { zk, path, prefix } = this.#options;
    await zk.requests.create(`${path}/${prefix}`, data, { mode: CreateMode.PERSISTENT_SEQUENTIAL });
  }

  /** What those say that were not seen before, in order. `onChange` is called once when there may be more. */
  async take(onChange: () => void): Promise<Uint8Array[]> {
    const { zk, path } = this.#options;
    const names = (await zk.requests.getChildren(path, { watch: onChange })).sort();
    const last = this.#last;
    this.#last = names.at(-1) ?? last;
    const found: Uint8Array[] = [];
    let mayBeOld = true;
    for (const name of names) {
      // After one that is young all are: of those that were seen no other is read.
      if (!mayBeOld && name <= last) continue;
      const node = await unless(ErrorCode.NONODE, zk.requests.getData(`${path}/${name}`));
      if (node === undefined) continue;
      mayBeOld = mayBeOld && this.#isOld(node.stat.ctime);
      if (mayBeOld) await unless(ErrorCode.NONODE, zk.requests.delete(`${path}/${name}`));
      if (node.data !== null && name > last) found.push(node.data);
    }
    return found;
  }

  #isOld(ctimeMs: number): boolean {
    return this.#options.clock.wallMs() - ctimeMs > LIFETIME_MS;
  }
}
