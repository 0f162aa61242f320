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
    for (const name of names) {
      const data = await this.#read(`${path}/${name}`);
      if (data !== null && name > last) found.push(data);
    }
    return found;
  }

  async #read(path: string): Promise<Uint8Array | null> {
    const { zk, clock } = this.#options;
    const node = await unless(ErrorCode.NONODE, zk.requests.getData(path));
    if (node === undefined) return null;
    const isOld = clock.wallMs() - node.stat.ctime > LIFETIME_MS;
    if (isOld) await unless(ErrorCode.NONODE, zk.requests.delete(path));
    return node.data;
  }
}
