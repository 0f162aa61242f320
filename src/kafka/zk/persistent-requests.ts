import type { ZookeeperClient } from '../../zookeeper/client/client.ts';
import type { CreateOptions, NodeValue, ReadOptions } from '../../zookeeper/client/client-options.ts';
import type { MultiOp, MultiResult, NodeData } from '../../zookeeper/client/multi.ts';
import type { Stat } from '../../zookeeper/jute/data.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { protectedAcl } from './znode-acls.ts';

/**
 * One session's requests, each repeated when its connection was lost on the way (`KafkaZkClient.retryRequestsUntilConnected`):
 * the client holds a request back until there is a connection again, so the next attempt waits by itself. It ends with the
 * session. A repeated write may find its own work done (NODEEXISTS, BADVERSION, NONODE): callers must take that for an answer.
 */
export class PersistentRequests {
  readonly #client: ZookeeperClient;
  readonly #protects: boolean;

  /** @param protects what is created belongs to the brokers (`zookeeper.set.acl`), else to everybody */
  constructor(client: ZookeeperClient, protects: boolean) {
    this.#client = client;
    this.#protects = protects;
  }

  create(path: string, data: NodeData, options?: CreateOptions): Promise<string> {
    const acl = this.#protects ? { acl: protectedAcl(path) } : {};
    return repeated(() => this.#client.create(path, data, { ...options, ...acl }));
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
    const all = this.#protects ? operations.map(asProtected) : operations;
    return repeated(() => this.#client.multi(all));
  }
}

function asProtected(operation: MultiOp): MultiOp {
  return operation.kind === 'create' ? { ...operation, acl: protectedAcl(operation.path) } : operation;
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
