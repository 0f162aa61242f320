/** `odradek/zookeeper/client`: a ZooKeeper client for any server, ours or Apache's. */
import { silent } from '../../runtime/log.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { connectZookeeper as connect, type ZookeeperClient } from './client.ts';
import type { ZookeeperClientOptions as OptionsOfClient } from './client-options.ts';

export { type NodeRuntimeOptions, nodeRuntime } from '../../runtime/node/node-runtime.ts';
export type { Runtime } from '../../runtime/runtime.ts';
export { CreateMode } from '../jute/create-mode.ts';
export type { ACL, Stat } from '../jute/data.ts';
export { ErrorCode, KeeperError } from '../jute/errors.ts';
export type { SessionId, Zxid } from '../jute/ids.ts';
export { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, Perms, READ_ACL_UNSAFE } from './acl.ts';
export type { ClientState, StateListener, ZookeeperClient } from './client.ts';
export type { CreateOptions, NodeValue, ReadOptions } from './client-options.ts';
export { MultiError, type MultiOp, type MultiResult, type NodeData } from './multi.ts';
export { createRecursive, deleteRecursive, ensurePath, listSubtree } from './recipes/nodes.ts';
export type { WatchEvent, WatchEventType, Watcher } from './watch-registry.ts';

export interface ZookeeperClientOptions extends OptionsOfClient {
  /** The world that the client lives in; the real one by default, where it logs nothing. */
  readonly runtime?: Runtime;
}

/** Opens a session; requests may be made at once. */
export function connectZookeeper(options: ZookeeperClientOptions): ZookeeperClient {
  return connect(options.runtime ?? nodeRuntime({ log: silent }), options);
}
