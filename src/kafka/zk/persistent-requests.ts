import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import type { CreateOptions, NodeValue, ReadOptions } from '../../zookeeper/client/client-options.ts';
import type { MultiOp, MultiResult, NodeData } from '../../zookeeper/client/multi.ts';
import type { Stat } from '../../zookeeper/jute/data.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';

/**
 * One session's requests, each repeated when its connection was lost on the way (`KafkaZkClient.retryRequestsUntilConnected`):
 * the client holds a request back until there is a connection again, so the next attempt waits by itself. It ends with the
 * session. A repeated write may find its own work done (NODEEXISTS, BADVERSION, NONODE): callers must take that for an answer.
 */
export class PersistentRequests {
  readonly #client: ZookeeperClient;

  constructor(client: ZookeeperClient) {
    this.#client = client;
  }

  create(path: string, data: NodeData, options?: CreateOptions): Promise<string> {
    return repeated(() => this.#client.create(path, data, options));
  }

  delete(path: string, version?: number): Promise<void> {
    return repeated(() => this.#client.delete(path, version));
  }

  exists(path: string, options?: ReadOptions): Promise<Stat | undefined> {
    return repeated(() => this.#client.exists(path, options));
  }

  getData(path: string, options?: ReadOptions): Promise<NodeValue> {
    return repeated(() => this.#client.getData(path, options));
  }

  setData(path: string, data: NodeData, version?: number): Promise<Stat> {
    return repeated(() => this.#client.setData(path, data, version));
  }

  getChildren(path: string, options?: ReadOptions): Promise<string[]> {
    return repeated(() => this.#client.getChildren(path, options));
  }

  multi(operations: readonly MultiOp[]): Promise<MultiResult[]> {
    return repeated(() => this.#client.multi(operations));
  }
}

async function repeated<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== ErrorCode.CONNECTIONLOSS) throw error;
    }
  }
}
